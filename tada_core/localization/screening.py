"""Screening: the parts of largest impact for fewer clips, by leaving out early what cannot be among them.

Differs from the paper, which measures every layer on every pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from tada_core.adapter import ModelAdapter
from tada_core.concept import Concept
from tada_core.engine.check import check_rows
from tada_core.errors import SpecError
from tada_core.generation import Settings
from tada_core.localization.design import design
from tada_core.localization.experiment import Experiment, Patched
from tada_core.localization.impact import Impact
from tada_core.localization.pair import Pair
from tada_core.localization.part import Part
from tada_core.maths.elimination import by_confidence, by_halves
from tada_core.maths.impact import Mode
from tada_core.metric import Metric
from tada_core.progress import Progress

Array = NDArray[np.float64]
Rule = Literal["confidence", "halving"]


def screen(
    model: ModelAdapter,
    concept: Concept,
    readout: Metric,
    *,
    top: int = 2,
    start: int = 2,
    most: int = 16,
    rule: Rule = "confidence",
    confidence: float = 0.95,
    margin: float = 0.05,
    base: Literal["neutral", "opposite"] = "neutral",
    layers: Sequence[int] | None = None,
    parts: Iterable[Part] | None = None,
    pairs: Sequence[Pair] | None = None,
    seeds: Sequence[int] = (0,),
    slot: Patched | None = None,
    mode: Mode = "denoising",
    settings: Settings | None = None,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Impact:
    """The layers of largest impact, for a part of what `localize` costs.

    All layers are tried on the first pairs; after these and after every further pair, layers that are not among the
    best are left out, until `top` are left or the pairs run out. The result says on how many prompts each was tried.

    Args:
        model, concept, readout: as `localize`.
        top: how many layers are looked for.
        start: pairs that every layer is tried on.
        most: pairs to stop at (at most as many as there are).
        rule: "confidence" leaves out a layer that is not better than the top-th best by more than `margin` (see
            `tada_core.maths.elimination`); "halving" the worse half each time, which costs little and knows no doubt.
        confidence: of each comparison.
        margin: share of the prompt swap; layers that are closer than that are not told apart.
        pairs: counterfactual captions; default the concept's own prompts.
        base, layers, parts, seeds, slot, mode, settings, batch_size: as `localize`; one seed, because every further
            prompt has noise of its own.
        progress: called with (clips done, the most there can be).

    Raises:
        SpecError: as `localize`; more looked for than there are, no such rule, fewer than two pairs to be confident on.
        UnknownNameError: a layer that does not exist.
    """
    given = len(concept.prompts) if pairs is None else len(pairs)
    made = design(
        model,
        concept,
        readout,
        base=base,
        layers=layers,
        parts=parts,
        pairs=min(most, given) if pairs is None else tuple(pairs)[:most],
        seeds=seeds,
        settings=settings,
        slot=slot,
        mode=mode,
        batch_size=batch_size,
    )
    plan = Plan(top, start, rule, confidence, margin)
    plan.check(made)
    return _screened(made, plan, progress)


@frozen
class Plan:
    """How a search narrows down; see `screen`."""

    top: int
    start: int
    rule: Rule
    confidence: float
    margin: float

    def check(self, made: Experiment) -> None:
        """Refuse, before any work, what cannot be screened; raises SpecError."""
        if not 1 <= self.top < len(made.parts):
            raise SpecError(
                f"top={self.top} of {len(made.parts)} parts; ask for 1 to {len(made.parts) - 1}, or localize"
            )
        if self.rule not in get_args(Rule):
            raise SpecError(f"rule '{self.rule}' does not exist; choose {' or '.join(get_args(Rule))}")
        least = 2 if self.rule == "confidence" else 1
        if not least <= self.start <= len(made.cases):
            raise SpecError(f"start={self.start} of {len(made.cases)} pairs; ask for {least} to {len(made.cases)}")
        if not 0.5 <= self.confidence < 1 or self.margin < 0:
            raise SpecError("confidence must be at least 0.5 and below 1, and margin not below zero")
        check_rows(made.model, made.rows(range(len(made.cases)), made.parts))

    def stays(self, scores: Array, mode: Mode) -> NDArray[np.bool_]:
        """Which parts go on, by scores [2 + parts, cases, seeds]; all where the swap changes nothing."""
        source, target, patched = scores[0], scores[1], scores[2:]
        effect = target.mean() - source.mean()
        if effect == 0:
            return np.ones(len(patched), dtype=bool)
        moved = patched - source if mode == "denoising" else target - patched
        gains = moved.mean(-1) / effect
        if self.rule == "halving":
            return by_halves(gains, self.top)
        return by_confidence(gains, self.top, self.confidence, self.margin)


def _screened(made: Experiment, plan: Plan, progress: Progress | None) -> Impact:
    cases, left, done, spent = len(made.cases), np.arange(len(made.parts)), 0, 0
    scores = np.full((2 + len(made.parts), cases, len(made.seeds)), np.nan)
    while not done or (done < cases and len(left) > plan.top):
        places = range(done, done + (1 if done else plan.start))
        parts, rows = [made.parts[index] for index in left], [0, 1, *(2 + left)]
        seen = _after(progress, int(np.isfinite(scores).sum()), scores.size)
        scores[rows, places.start : places.stop] = made.measure(places, parts, seen)
        spent, done = spent + made.count(places, parts), places.stop
        left = left[plan.stays(scores[rows, :done], made.mode)]
    return made.impact(scores[:, :done], spent)


def _after(progress: Progress | None, before: int, total: int) -> Progress | None:
    """Progress of a round that comes after others."""
    return None if progress is None else lambda done, _: progress(before + done, total)
