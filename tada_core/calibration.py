"""Calibration: what strength changes a clip as much as a share of swapping the whole prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from tada_core.adapter import ModelAdapter
from tada_core.artifact import Artifact
from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.dose import DoseScale
from tada_core.engine.run import run
from tada_core.errors import DoseError, SpecError
from tada_core.even import Even, place
from tada_core.generation import Row, Settings, with_seeds
from tada_core.interventions import Intervention
from tada_core.metric import Metric
from tada_core.progress import Progress

A = TypeVar("A", bound=Artifact)
Condition = tuple[str, tuple[Intervention, ...]]
"""A template and what is done to the run that reads it."""


def calibrate(
    model: ModelAdapter,
    artifact: A,
    metric: Metric,
    *,
    strengths: Sequence[float] | Even | None = None,
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
        strengths: positive strengths to try on both sides, in the artefact's first unit (default: its own grid); or
            `Even`, which finds those whose doses are evenly spaced up to 1.
        prompts: how many of the concept's fitting prompts.
        seeds: one clip per prompt, strength and seed.
        settings, batch_size, progress: as for `run`.

    Raises:
        ArtifactError: the artefact belongs to another model.
        SpecError: the metric is no preservation metric, or a strength is not positive.
        DoseError: the prompt swap itself changes nothing.
    """
    artifact.check(model)
    grid = sorted(set(artifact.grid if strengths is None or isinstance(strengths, Even) else strengths))
    if metric.kind != "preservation" or not grid or grid[0] <= 0:
        raise SpecError(f"calibration needs a preservation metric and positive strengths, not {metric.name} and {grid}")
    own = artifact.concept.sung(model, settings)
    bench = Bench(model, artifact.concept, metric, with_seeds(artifact.concept.prompts[:prompts], seeds), own)
    bench = evolve(bench, batch_size=batch_size, progress=progress)
    points = spread(bench, artifact, strengths) if isinstance(strengths, Even) else swept(bench, artifact, grid)
    return evolve(artifact, dose=DoseScale(metric.name, artifact.units[0], points))


@frozen
class Bench:
    """The prompts and the metric of a calibration.

    Attributes:
        model, concept, metric: as for `calibrate`.
        places: fitting prompts and the seed of each.
        settings: of every clip.
        batch_size, progress: as for `run`.
    """

    model: ModelAdapter
    concept: Concept
    metric: Metric
    places: Sequence[tuple[str, int]]
    settings: Settings
    batch_size: int | None = None
    progress: Progress | None = None

    @property
    def sides(self) -> list[Condition]:
        """The plain prompt and both swaps."""
        return [(self.concept.side(side), ()) for side in ("neutral", "negative", "positive")]

    def steered(self, artifact: Artifact, strengths: Iterable[float]) -> list[Condition]:
        """Signed strengths of an artefact, in its first unit."""
        return [(self.concept.neutral, artifact.at(a, artifact.units[0])) for a in strengths]

    def clips(self, conditions: Sequence[Condition]) -> list[list[Audio]]:
        """The clips of every prompt, shape [places][conditions]."""
        rows = [Row(p, seed, text, self.settings, edit) for p, seed in self.places for text, edit in conditions]
        audios = [clip.audio for clip in run(self.model, rows, batch_size=self.batch_size, progress=self.progress)]
        return [audios[at : at + len(conditions)] for at in range(0, len(audios), len(conditions))]

    def changes(self, clips: Sequence[Sequence[Audio]], plain: Sequence[Audio]) -> NDArray[np.float64]:
        """Mean distance of every condition to the plain clip, shape [conditions]."""
        scores = [self.metric.score(own, [one] * len(own)) for own, one in zip(clips, plain, strict=True)]
        mean: NDArray[np.float64] = np.mean(scores, axis=0)
        return mean


def swept(bench: Bench, artifact: Artifact, grid: Sequence[float]) -> list[tuple[float, float]]:
    """(strength, dose) of fixed strengths on both sides, all in one run."""
    signed = [-a for a in reversed(grid)] + list(grid)
    clips = bench.clips([*bench.sides, *bench.steered(artifact, signed)])
    changes = bench.changes(clips, [own[0] for own in clips])
    return doses(bench.metric.name, signed, changes[1:3], changes[3:])


def spread(bench: Bench, artifact: Artifact, even: Even) -> list[tuple[float, float]]:
    """(strength, dose) of strengths whose doses are evenly spaced up to 1 on both sides."""
    sides = bench.clips(bench.sides)
    plain = [own[0] for own in sides]
    swaps = bench.changes(sides, plain)[1:]
    doses(bench.metric.name, (), swaps, ())
    down, up = (one_side(bench, artifact, even, plain, sign, swaps[int(sign > 0)]) for sign in (-1, 1))
    signed = [*(-a for a in down), *up]
    return doses(bench.metric.name, signed, swaps, [*down.values(), *up.values()])


def one_side(
    bench: Bench, artifact: Artifact, even: Even, plain: Sequence[Audio], sign: int, top: float
) -> dict[float, float]:
    """Changes by size of strength, without 0."""

    def measure(strengths: Sequence[float]) -> Sequence[float]:
        edits = bench.steered(artifact, [sign * a for a in strengths])
        return [float(x) for x in bench.changes(bench.clips(edits), plain)]

    found = place(measure, even, float(top), max(artifact.grid), lambda a: knows(artifact, sign * a))
    return {a: change for a, change in found.items() if a}


def knows(artifact: Artifact, strength: float) -> bool:
    """Whether the method has such a strength: a prompt cannot be switched for more than the whole trajectory."""
    try:
        artifact.at(strength)
    except SpecError:
        return False
    return True


def doses(
    metric: str, strengths: Sequence[float], swaps: NDArray[np.float64], changes: Sequence[float] | NDArray[np.float64]
) -> list[tuple[float, float]]:
    """(strength, dose) by rising strength, (0, 0) among them: each side divided by what its own prompt swap changes.

    Raises:
        DoseError: a swap that changes nothing.
    """
    if min(swaps) <= 0:
        raise DoseError(f"swapping the prompt does not change '{metric}': there is no dose to compare with")
    points = [(a, float(np.sign(a) * change / swaps[int(a > 0)])) for a, change in zip(strengths, changes, strict=True)]
    return sorted([*points, (0.0, 0.0)])
