"""Third stage: strengths that are spaced evenly in what they change, up to the cut-off, where an arm asks for it.

What is tried is a point of the curve, so that nothing is made in vain; on the clips of the comparison itself, because
only these say how far apart its points lie. No alignment is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from itertools import chain
from typing import TYPE_CHECKING

from attrs import frozen

from tada_bench.arm import Arm
from tada_bench.plan import Plan, by_arm, cells, sweep
from tada_bench.session import Session
from tada_bench.stages.generate import make
from tada_bench.stages.score import score, score_name
from tada_bench.store.cell import read_scores
from tada_core.calibration import knows
from tada_core.dose import DoseScale
from tada_core.errors import SpecError
from tada_core.even import Even
from tada_core.even import place as spaced

if TYPE_CHECKING:
    from tada_core.artifact import Artifact

Place = tuple[str, str]
"""A concept and the name of an arm."""


def place(
    session: Session, artifacts: dict[Place, Artifact]
) -> tuple[dict[Place, tuple[float, ...]], dict[Place, DoseScale]]:
    """Signed strengths of every arm, and the dose scale of those that were placed: dose 1 is the cut-off.

    An arm whose strengths cannot be placed is missing, and listed.
    """
    strengths = dict[Place, tuple[float, ...]]()
    scales = dict[Place, DoseScale]()
    for concept in session.suite.concepts:
        cutoff = cache(partial(_cutoff, session, artifacts, concept))
        for arm in session.suite.steered(concept):
            at = (concept, arm.name)
            if not isinstance(arm.strengths, Even):
                strengths[at] = arm.strengths
            elif at in artifacts:
                with session.kept(session.key("place", *at), f"placing strengths of {arm.name} on {concept}"):
                    scales[at] = _scale(Trial(session, concept, arm, artifacts[at]), arm.strengths, cutoff)
                    strengths[at] = tuple(strength for strength, _ in scales[at].points)
    return strengths, scales


def _cutoff(session: Session, artifacts: dict[Place, Artifact], concept: str, sign: int) -> float:
    """The smallest of the ceiling arms' largest changes on a side."""
    ceiling = [
        Trial(session, concept, arm, artifacts[concept, arm.name])
        for arm in session.suite.ceilings
        if (concept, arm.name) in artifacts
    ]
    tops = [max(one.changes(one.side(sign))) for one in ceiling if one.side(sign)]
    if not tops:
        raise SpecError(f"no arm of '{session.suite.ceiling}' has strengths on the side {sign:+d}; add some")
    return min(tops)


def _scale(own: Trial, even: Even, cutoff: Callable[[int], float]) -> DoseScale:
    sides = chain.from_iterable(_side(own, even, sign, cutoff(sign)) for sign in (-1, 1))
    points = sorted([(0.0, 0.0), *sides])
    return DoseScale(own.session.suite.preservation, own.artifact.units[0], points)


def _side(own: Trial, even: Even, sign: int, top: float) -> list[tuple[float, float]]:
    """Strength and dose, both signed, of every strength of one side but 0."""
    found = spaced(
        lambda sizes: own.changes([sign * a for a in sizes]),
        even,
        top,
        max(own.artifact.grid),
        lambda a: knows(own.artifact, sign * a),
    )
    return [(sign * strength, sign * change / top) for strength, change in found.items() if strength]


@frozen(eq=False)
class Trial:
    """An arm on a concept, whose clips are made and measured at any strength.

    Attributes:
        session, concept, arm: whose.
        artifact: what was fitted.
    """

    session: Session
    concept: str
    arm: Arm
    artifact: Artifact

    def side(self, sign: int) -> list[float]:
        """Its own strengths on one side."""
        given = () if isinstance(self.arm.strengths, Even) else self.arm.strengths
        return [strength for strength in given if sign * strength > 0]

    def changes(self, strengths: Sequence[float]) -> list[float]:
        """Mean change of every signed strength, over the clips that could be made and measured.

        Raises:
            SpecError: there are none.
        """
        session = self.session
        suite, concept = session.suite, session.concepts[self.concept]
        points, rows = sweep(suite, concept, self.arm, self.artifact, (0.0, *strengths), session.fingerprint)
        plan = Plan(tuple(points), rows)
        make(session, cells(plan, session.store.clips.keys(), session.model.defaults.batch, by_arm))
        score(session, plan)
        return [self._mean(strength, (p.identity for p in points if p.strength == strength)) for strength in strengths]

    def _mean(self, strength: float, identities: Iterable[str]) -> float:
        store, name = self.session.store, score_name(self.session.suite.preservation, None)
        found = [
            (read_scores(store.cell(identity), name) or {}).get(identity)
            for identity in identities
            if identity in store.clips
        ]
        values = [value for value in found if value is not None]
        if not values:
            raise SpecError(f"{self.arm.name} at {strength:g} on {self.concept}: no clip could be made and measured")
        return sum(values) / len(values)
