"""Composition: turn several artefacts, alone and in pairs, and read what each does to the others' concepts.

Every clip is compared with the plain clip of the same prompt and noise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tada_core.adapter import ModelAdapter
from tada_core.artifact import Artifact
from tada_core.concept import Concept
from tada_core.convert import texts
from tada_core.engine.run import run
from tada_core.errors import SpecError
from tada_core.generation import Row, Settings, with_seeds
from tada_core.interference.interference import Interference
from tada_core.interference.overlap import overlap
from tada_core.interference.trials import arranged, trials
from tada_core.interventions import Intervention
from tada_core.metric import Metric
from tada_core.progress import Progress

Array = NDArray[np.float64]


def interference(
    model: ModelAdapter,
    artifacts: Sequence[Artifact],
    readout: Metric,
    *,
    strength: float | Sequence[float] = 0.5,
    unit: str | None = None,
    prompts: int | Sequence[str] = 4,
    seeds: Sequence[int] = (0,),
    settings: Settings | None = None,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Interference:
    """How n artefacts disturb each other, with at most 1 + 4 n + n (n - 1) / 2 generations per prompt and seed.

    Plain, each concept's two prompts, each artefact up and down, each pair up together in the order given.

    Args:
        model: the model all were fitted on.
        artifacts: two or more, of any methods and concepts.
        readout: an alignment metric that can read every concept.
        strength: how far each is turned, both ways; one for all, or one each.
        unit: unit of the strengths (default: each artefact's own first one); "dose" makes methods comparable.
        prompts: how many of the evaluation prompts that all concepts share, or base prompts of your own.
        seeds: one generation per prompt and seed; every prompt has noise of its own (`seed_at`).
        settings, batch_size, progress: as for `run`.

    Raises:
        ArtifactError: an artefact belongs to another model.
        DoseError: a dose that was not calibrated, or never reached.
        SpecError: fewer than two artefacts, too few shared prompts, no seeds, a readout that is no alignment metric.
    """
    _check(model, artifacts, readout, seeds)
    amounts, own = _each(strength, len(artifacts)), settings or Settings()
    concepts = [artifact.concept for artifact in artifacts]
    chosen = shared(concepts, prompts) if isinstance(prompts, int) else _given(prompts)
    runs = trials(concepts, *(_turned(artifacts, amounts, sign, unit) for sign in (1, -1)))
    rows = [
        Row(prompt, seed, one.template, own, one.interventions)
        for prompt, seed in with_seeds(chosen, seeds)
        for one in runs
    ]
    # Before any clip: what a readout or a vector cannot do should cost none.
    units = [readout.unit_for(concept) for concept in concepts]
    alike = cosines(artifacts, model.resolve(own).steps or 1)
    scores = _scores(model, rows, concepts, readout, batch_size, progress)
    grid = np.moveaxis(scores.reshape(len(concepts), len(chosen), len(seeds), len(runs)), -1, 1)
    return Interference(
        model=model.name,
        readout=readout.name,
        template=runs[0].template,
        names=names(artifacts),
        readings=[concept.name for concept in concepts],
        units=units,
        strengths=amounts,
        scales=[unit or artifact.units[0] for artifact in artifacts],
        prompts=chosen,
        seeds=seeds,
        cosines=alike,
        **arranged(grid),
    )


def cosines(artifacts: Sequence[Artifact], steps: int) -> Array:
    """Cosines of the vectors of every two artefacts in a run of `steps` steps, [n, n]; see `overlap`."""
    every = [artifact.at(1.0) for artifact in artifacts]
    return np.array([[overlap(one, other, steps) for other in every] for one in every])


def shared(concepts: Sequence[Concept], count: int) -> tuple[str, ...]:
    """The first evaluation prompts that all concepts share: they hold no concept's words, and none was fitted on.

    Raises:
        SpecError: there are fewer than `count`.
    """
    common = [one for one in concepts[0].evaluation if all(one in concept.evaluation for concept in concepts)]
    if not 1 <= count <= len(common):
        who = ", ".join(dict.fromkeys(concept.name for concept in concepts))
        raise SpecError(
            f"{count} prompts asked for, but the concepts {who} share {len(common)} evaluation prompts; "
            'ask for no more than that, or give prompts of your own: prompts=("a tune",)'
        )
    return tuple(common[:count])


def names(artifacts: Sequence[Artifact]) -> tuple[str, ...]:
    """ "method concept" of each; a number tells those apart that are called the same."""
    seen: Counter[str] = Counter()
    made = []
    for artifact in artifacts:
        name = f"{artifact.method} {artifact.concept.name}"
        seen[name] += 1
        made.append(name if seen[name] == 1 else f"{name} {seen[name]}")
    return tuple(made)


def _turned(
    artifacts: Sequence[Artifact], amounts: Sequence[float], sign: int, unit: str | None
) -> list[tuple[Intervention, ...]]:
    """What each artefact does, all turned up (sign 1) or down (-1)."""
    return [artifact.at(sign * amount, unit) for artifact, amount in zip(artifacts, amounts, strict=True)]


def _scores(
    model: ModelAdapter,
    rows: Sequence[Row],
    concepts: Sequence[Concept],
    readout: Metric,
    batch_size: int | None,
    progress: Progress | None,
) -> Array:
    """Every concept's score of every row, [n, rows]; equal rows are made once."""
    unique = {row: place for place, row in enumerate(dict.fromkeys(rows))}
    audios = [clip.audio for clip in run(model, list(unique), batch_size=batch_size, progress=progress)]
    where = [unique[row] for row in rows]
    return np.stack([readout.score(audios, concept)[where] for concept in concepts])


def _check(model: ModelAdapter, artifacts: Sequence[Artifact], readout: Metric, seeds: Sequence[int]) -> None:
    if len(artifacts) < 2:
        raise SpecError(f"{len(artifacts)} artefacts given; interference is between two or more")
    for artifact in artifacts:
        artifact.check(model)
    if not seeds:
        raise SpecError("no seeds given; write seeds=(0,)")
    if readout.kind != "alignment":
        raise SpecError(f"readout '{readout.name}' is a {readout.kind} metric; interference needs an alignment metric")


def _given(prompts: Sequence[str]) -> tuple[str, ...]:
    if not prompts:
        raise SpecError('no prompts given; write prompts=("a tune",), or how many of the shared ones')
    return texts(prompts)


def _each(strength: float | Sequence[float], count: int) -> tuple[float, ...]:
    """One strength per artefact."""
    given = tuple(strength) if isinstance(strength, Sequence) else (strength,) * count
    if len(given) != count:
        raise SpecError(f"{count} artefacts but {len(given)} strengths; give one for all, or one each")
    return given
