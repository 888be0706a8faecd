"""What a training will cost, before any clip is made: clips, tokens, autoencoders and disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from attrs import frozen

from tada_core import ModelAdapter, Row
from tada_core.engine.forward import Forward, replaced_forward
from tada_core.engine.values import first_tensor
from tada_core.errors import EngineError, SpecError
from tada_sae.settings import Spec, StreamSettings, TrainSettings

NUMBER = 4
"""Bytes of a float32."""

COPIES = 3
"""Of every weight in a checkpoint: the weight and the two moments of Adam."""


@frozen
class Cost:
    """What a training takes.

    Attributes:
        clips: made in all.
        tokens: read of every layer, in all.
        batch: tokens per step.
        autoencoders: trained side by side.
        weights: bytes of the autoencoders' files.
        checkpoint: bytes of the checkpoint; twice as much while one is written over another.
    """

    clips: int
    tokens: Mapping[int, int]
    batch: int
    autoencoders: int
    weights: int
    checkpoint: int

    def __str__(self) -> str:
        counts = sorted(set(self.tokens.values()))
        tokens = " to ".join(f"{count:,}" for count in dict.fromkeys((counts[0], counts[-1])))
        steps = " to ".join(f"{count // self.batch:,}" for count in dict.fromkeys((counts[0], counts[-1])))
        return (
            f"{self.clips:,} clips; {tokens} tokens of each of {len(self.tokens)} layers, {steps} steps of "
            f"{self.batch:,}; {self.autoencoders} autoencoders, {_size(self.weights)} on disk, and "
            f"{_size(self.checkpoint)} of checkpoint"
        )

    @property
    def buffer(self) -> int:
        """Tokens to hold for shuffling: the default, or a quarter of fewer, so that a small training starts early."""
        return min(StreamSettings().buffer, max(2 * self.batch, min(self.tokens.values()) // 4))

    def check(self) -> None:
        """Refuse a training that would not make a single step.

        Raises:
            SpecError: names the layer and its tokens.
        """
        for layer, count in self.tokens.items():
            if count < self.batch:
                raise SpecError(
                    f"layer {layer} would give {count:,} tokens, fewer than a batch of {self.batch:,}; make the batch "
                    "smaller (--batch), or give more prompts or seeds, or read more steps (--every)"
                )


def cost(model: ModelAdapter, prompts: Sequence[str], specs: Sequence[Spec], settings: TrainSettings) -> Cost:
    """The cost of `train` with these arguments; one call of the denoiser is made to count frames.

    Raises:
        SpecError, UnknownNameError: as `train`.
    """
    if not prompts:
        raise SpecError("no prompts to make clips of; give at least one")
    layers, stream = model.pick(spec.layer for spec in specs), settings.stream
    clips = len(prompts) * len(stream.seeds)
    row = Row(prompts[0], settings=stream.settings)
    own = model.batch([row])
    read = len(model.branches(own.guidance, own.steps)["cond"][:: stream.every])
    tokens = {layer: clips * read * count for layer, count in frames(model, row, layers).items()}
    weights = [_numbers(model.layer(spec.layer).width, spec) for spec in specs]
    held = sum(min(stream.buffer, count) * model.layer(layer).width for layer, count in tokens.items())
    return Cost(
        clips,
        tokens,
        settings.trainer.batch,
        len(specs),
        NUMBER * sum(weights),
        NUMBER * (COPIES * sum(weights) + held),
    )


def _numbers(width: int, spec: Spec) -> int:
    features = spec.features(width)
    return 2 * features * width + features + width


class _EnoughError(Exception):
    """Raised once every layer has been seen."""


def frames(model: ModelAdapter, row: Row, layers: Sequence[int]) -> dict[int, int]:
    """Frames of every layer's output in one call of the denoiser, without the prefix tokens.

    The pipeline is started and stopped within its first call.

    Raises:
        EngineError: a layer was not reached in that call.
    """
    found: dict[int, int] = {}

    def keeper(layer: int) -> Any:
        def keep(module: Any, given: Any, output: Any) -> None:
            found[layer] = first_tensor(output).shape[1] - model.layer(layer).prefix

        return keep

    def once(forward: Forward) -> Forward:
        def called(*args: Any, **kwargs: Any) -> Any:
            forward(*args, **kwargs)
            raise _EnoughError

        return called

    modules = [(layer, model.denoiser.get_submodule(model.layer(layer).module("out"))) for layer in layers]
    handles = [module.register_forward_hook(keeper(layer)) for layer, module in modules]
    try:
        with torch.no_grad(), replaced_forward(model.denoiser, once):
            model.sample(model.batch([row]))
    except _EnoughError:
        pass
    finally:
        for handle in handles:
            handle.remove()
    if missed := [layer for layer in layers if layer not in found]:
        raise EngineError(f"'{model.name}' did not reach its layers {missed} in its first call")
    return found


def _size(count: int) -> str:
    name, unit = next((one for one in (("GB", 1e9), ("MB", 1e6)) if count >= one[1]), ("kB", 1e3))
    return f"{count / unit:.1f} {name}"
