"""A training under way: trainers, and the buffers between them and the stream of clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from tada_core import ModelAdapter
from tada_core.errors import SpecError
from tada_sae.buffer import ShuffleBuffer
from tada_sae.settings import Spec, TrainSettings
from tada_sae.trainer import Trainer


class Training:
    """The trainers and the buffers between them and the stream; `done` counts generation batches.

    Raises:
        SpecError, UnknownNameError: as `train`.
    """

    def __init__(self, model: ModelAdapter, specs: Sequence[Spec], settings: TrainSettings) -> None:
        if not specs or len(set(specs)) < len(specs):
            raise SpecError("no autoencoders to train, or one of them twice; give every spec once, Spec(6, 2, 32) say")
        self.layers = model.pick(spec.layer for spec in specs)
        width = {layer: model.layer(layer).width for layer in self.layers}
        one, held = settings.trainer, settings.stream
        self.trainers = {spec: Trainer(width[spec.layer], spec, one) for spec in specs}
        self.buffers = {
            layer: ShuffleBuffer(held.buffer, one.batch, width[layer], held.seed + layer) for layer in self.layers
        }
        self.done = 0

    def feed(self, tokens: Mapping[int, Tensor]) -> None:
        """Take the tokens of a generation batch, by layer."""
        for layer, own in tokens.items():
            for batch in self.buffers[layer].push(own):
                self._step(layer, batch)
        self.done += 1

    def drain(self) -> None:
        """Train on what the buffers still hold.

        Raises:
            SpecError: no autoencoder of some layer ever met a whole batch.
        """
        for layer, buffer in self.buffers.items():
            for batch in buffer.drain():
                self._step(layer, batch)
        for spec, trainer in self.trainers.items():
            if trainer.steps == 0:
                got = self.buffers[spec.layer].count
                raise SpecError(
                    f"layer {spec.layer} gave {got} tokens, fewer than a batch of {trainer.settings.batch}; "
                    "give more prompts or seeds, read more steps, or make the batch smaller"
                )

    def _step(self, layer: int, batch: Tensor) -> None:
        for spec, trainer in self.trainers.items():
            if spec.layer == layer:
                trainer.step(batch)

    def state_dict(self) -> dict[str, Any]:
        """All that decides how the training goes on."""
        return {
            "done": self.done,
            "trainers": [trainer.state_dict() for trainer in self.trainers.values()],
            "buffers": [buffer.state_dict() for buffer in self.buffers.values()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.done = state["done"]
        for trainer, stored in zip(self.trainers.values(), state["trainers"], strict=True):
            trainer.load_state_dict(stored)
        for buffer, stored in zip(self.buffers.values(), state["buffers"], strict=True):
            buffer.load_state_dict(stored)
