"""Calibration: what strength changes a clip as much as a share of swapping the whole prompt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from tada_core.adapter import ModelAdapter
from tada_core.artifact import Artifact
from tada_core.dose import DoseScale
from tada_core.engine.run import run
from tada_core.errors import DoseError, SpecError
from tada_core.generation import Row, Settings, with_seeds
from tada_core.metric import Metric
from tada_core.progress import Progress

A = TypeVar("A", bound=Artifact)


def calibrate(
    model: ModelAdapter,
    artifact: A,
    metric: Metric,
    *,
    strengths: Sequence[float] | None = None,
    prompts: int = 4,
    seeds: Sequence[int] = (0,),
    settings: Settings | None = None,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> A:
    """The artefact with a dose scale: 1.0 moves a clip as far, in `metric`, as the positive (negative) prompt does.

    Args:
        model: the model it was fitted on.
        artifact: what to calibrate.
        metric: a preservation metric.
        strengths: positive strengths to try on both sides, in the artefact's first unit (default: its own grid).
        prompts: how many of the concept's fitting prompts.
        seeds: one clip per prompt, strength and seed.
        settings, batch_size, progress: as for `run`.

    Raises:
        ArtifactError: the artefact belongs to another model.
        SpecError: the metric is no preservation metric, or a strength is not positive.
        DoseError: the prompt swap itself changes nothing.
    """
    artifact.check(model)
    grid = sorted(set(artifact.grid if strengths is None else strengths))
    if metric.kind != "preservation" or not grid or grid[0] <= 0:
        raise SpecError(f"calibration needs a preservation metric and positive strengths, not {metric.name} and {grid}")
    concept, unit = artifact.concept, artifact.units[0]
    own = concept.sung(model, settings)
    signed = [-a for a in reversed(grid)] + grid
    sides = [concept.neutral, concept.negative, concept.positive]
    rows = [
        row
        for prompt, seed in with_seeds(concept.prompts[:prompts], seeds)
        for row in (
            *(Row(prompt, seed, side, own) for side in sides),
            *(Row(prompt, seed, concept.neutral, own, artifact.at(a, unit)) for a in signed),
        )
    ]
    audios = [clip.audio for clip in run(model, rows, batch_size=batch_size, progress=progress)]
    width = len(sides) + len(signed)
    anchors = [audios[index - index % width] for index in range(len(audios))]
    change = metric.score(audios, anchors).reshape(-1, width).mean(0)
    return evolve(artifact, dose=scale(metric.name, unit, signed, change[1:3], change[3:]))


def scale(
    metric: str, unit: str, strengths: Sequence[float], swaps: NDArray[np.float64], changes: NDArray[np.float64]
) -> DoseScale:
    """Doses out of mean changes: each side divided by the change its own prompt swap makes.

    Raises:
        DoseError: a swap that changes nothing.
    """
    if min(swaps) <= 0:
        raise DoseError(f"swapping the prompt does not change '{metric}': there is no dose to compare with")
    points = [(a, float(np.sign(a) * change / swaps[int(a > 0)])) for a, change in zip(strengths, changes, strict=True)]
    return DoseScale(metric, unit, tuple(sorted([*points, (0.0, 0.0)])))
