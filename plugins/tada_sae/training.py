"""A training under way: trainers, and the buffers between them and the stream of clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from torch import Tensor

from tada_core import ModelAdapter, Row
from tada_core.errors import SpecError
from tada_core.progress import Progress, bar
from tada_sae.buffer import ShuffleBuffer
from tada_sae.settings import Spec, TrainSettings
from tada_sae.stream import stream
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
        self._model, self._every, self.done = model, held.every, 0

    def over(
        self, batches: Sequence[Sequence[Row]], epochs: int = 1, progress: Progress | None = None
    ) -> Iterator[None]:
        """Train on generation batches, from where it stands; gives way after each of them.

        Args:
            batches: all of them, the `done` ones included.
            epochs: how often the tokens of a batch are fed, one time after the other.
            progress: called with (clips done, clips in all) after each; by default a bar, at a terminal.

        Raises:
            SpecError: no autoencoder of some layer ever met a whole batch of tokens.
        """
        rest = batches[self.done :]
        clips, total = sum(map(len, batches[: self.done])), sum(map(len, batches))
        with nullcontext(progress) if progress is not None else bar("autoencoders: clips") as report:
            for rows, tokens in zip(rest, stream(self._model, rest, self.layers, self._every), strict=True):
                for _ in range(epochs):
                    self._feed(tokens)
                self.done += 1
                if self.done == len(batches):
                    self._drain()
                yield
                clips += len(rows)
                report(clips, total)

    def _feed(self, tokens: Mapping[int, Tensor]) -> None:
        """Take the tokens of a generation batch, by layer."""
        for layer, own in tokens.items():
            for batch in self.buffers[layer].push(own):
                self._step(layer, batch)

    def _drain(self) -> None:
        """Train on what the buffers still hold."""
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
