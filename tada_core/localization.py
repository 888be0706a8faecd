"""Localisation by activation patching: give one layer at a time the concept's prompt and see what it carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tada_core.adapter import ModelAdapter
from tada_core.concept import Concept
from tada_core.engine.run import run
from tada_core.errors import SpecError
from tada_core.generation import Row, Settings, with_seeds
from tada_core.impact import Impact
from tada_core.interventions import PatchText
from tada_core.metric import Metric
from tada_core.progress import Progress


def localize(
    model: ModelAdapter,
    concept: Concept,
    readout: Metric,
    *,
    base: Literal["neutral", "opposite"] = "neutral",
    layers: Sequence[int] | None = None,
    pairs: int = 4,
    seeds: Sequence[int] = (0, 1),
    settings: Settings | None = None,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Impact:
    """Impact of every layer on a concept (TADA eq. 9), with L + 2 generations per pair and seed.

    The source run reads the base prompt, the target run the concept's; a patched run is the source run with one
    layer reading the concept's text input, on every step and both branches.

    Args:
        model: the adapter.
        concept: positive template against its neutral or negative one.
        readout: an alignment metric.
        base: which template is the source; the choice changes the result and is kept in it.
        layers: layers to try (default: all).
        pairs: how many of the concept's prompts.
        seeds: one generation per prompt and seed; every prompt has noise of its own (`seed_at`).
        settings: seconds, steps and so on (default: the model's).
        batch_size: rows per forward pass.
        progress: called with (clips done, clips in all).

    Raises:
        SpecError: no such base, too many pairs, no seeds, or a readout that is not an alignment metric.
    """
    _check(concept, readout, base, pairs, seeds)
    chosen, prompts = model.pick(layers), concept.prompts[:pairs]
    rows = [
        row
        for prompt, seed in with_seeds(prompts, seeds)
        for row in variants(concept, concept.side(base), prompt, seed, chosen, settings or Settings())
    ]
    clips = run(model, rows, batch_size=batch_size, progress=progress)
    scores = readout.score([clip.audio for clip in clips], concept)
    grid = np.moveaxis(scores.reshape(len(prompts), len(seeds), len(chosen) + 2), -1, 0)
    return Impact(
        model=model.name,
        concept=concept.name,
        readout=readout.name,
        base=base,
        layers=chosen,
        paths=tuple(model.layer(layer).path for layer in chosen),
        prompts=prompts,
        seeds=tuple(seeds),
        source=grid[0],
        target=grid[1],
        patched=grid[2:],
    )


def variants(
    concept: Concept, source: str, prompt: str, seed: int, layers: Sequence[int], settings: Settings
) -> list[Row]:
    """Source run, target run and one patched run per layer, for one prompt and seed."""
    patches = [(PatchText(concept.positive, (layer,)),) for layer in layers]
    return [
        Row(prompt, seed, source, settings),
        Row(prompt, seed, concept.positive, settings),
        *(Row(prompt, seed, source, settings, patch) for patch in patches),
    ]


def _check(concept: Concept, readout: Metric, base: str, pairs: int, seeds: Sequence[int]) -> None:
    if base not in ("neutral", "opposite"):
        raise SpecError(f"base '{base}' does not exist; choose neutral or opposite")
    if not 1 <= pairs <= len(concept.prompts):
        raise SpecError(f"{pairs} pairs asked for, but concept '{concept.name}' has 1 to {len(concept.prompts)}")
    if not seeds:
        raise SpecError("no seeds given; write seeds=(0,)")
    if readout.kind != "alignment":
        raise SpecError(f"readout '{readout.name}' is a {readout.kind} metric; localisation needs an alignment metric")
