"""Strengths that are evenly spaced in what they change, found with few trials that are all kept.

TADA spreads strengths evenly in strength; the weakest then moves a clip by half the cut-off, and half the area under a
curve is one straight line (sect. 5.1 and its public code).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np
from attrs import field, frozen, validators

Measure = Callable[[Sequence[float]], Sequence[float]]
"""From strengths above zero to the changes they make."""

TRIES = 3
"""How often one target is aimed at: where the change jumps, it cannot be met."""

DOUBLINGS = 3
MARGIN = 0.05
"""Least distance of a new strength from the ends of its bracket, as a share of it."""


@frozen
class Even:
    """How strengths are spaced on one side.

    Attributes:
        points: changes aimed at: top / points, 2 top / points, ..., top.
        tolerance: how far beyond one step two neighbouring changes may lie apart, as a share of the step.
        extra: how many strengths more than `points` may be tried.
    """

    points: int = field(default=15, validator=validators.ge(1))
    tolerance: float = field(default=0.25, validator=validators.gt(0))
    extra: int = field(default=5, validator=validators.ge(0))

    @property
    def most(self) -> int:
        """Strengths on one side at most."""
        return self.points + self.extra


def place(
    measure: Measure, even: Even, top: float, start: float, allowed: Callable[[float], bool] = lambda _: True
) -> dict[float, float]:
    """Changes by strength, evenly spaced up to `top` where the method gets that far; every trial is in it, and 0.

    Args:
        measure: what a strength changes.
        even: how to space them.
        top: the change to reach.
        start: strength of the first trial; doubled while it does not reach `top` and still changes more.
        allowed: whether a strength may be tried.
    """
    found = {0.0: 0.0}
    _extend(found, measure, top, start, allowed, even.tolerance * top / even.points)
    if len(found) == 1:
        return found
    step, tries = top / even.points, dict.fromkeys(range(1, even.points + 1), 0)
    while (left := even.most + 1 - len(found)) > 0:
        open_ = [k for k in unmet(found, step, even) if tries[k] < TRIES]
        aimed = aims(found, step, open_)
        strengths = list(aimed.values())[:left]
        if not strengths:
            break
        for k in aimed:
            tries[k] += 1
        found.update(zip(strengths, measure(strengths), strict=True))
    return dict(sorted(found.items()))


def _extend(
    found: dict[float, float],
    measure: Measure,
    top: float,
    strength: float,
    allowed: Callable[[float], bool],
    least: float,
) -> None:
    """Double the strength until it reaches `top`, or gains less than `least`, at most DOUBLINGS times."""
    for _ in range(DOUBLINGS + 1):
        if not allowed(strength):
            return
        before = max(found.values())
        (found[strength],) = measure([strength])
        if max(found.values()) >= top or max(found.values()) - before < least:
            return
        strength *= 2


def unmet(found: Mapping[float, float], step: float, even: Even) -> list[int]:
    """The multiples of `step` that lie in a gap too wide, and near none of its ends; none beyond the largest change."""
    changes = np.array(sorted(found.values()))
    slack = even.tolerance * step
    return [
        k
        for low, high in pairwise(changes)
        if high - low > step + slack
        for k in range(1, even.points + 1)
        if low + slack < k * step < high - slack
    ]


def aims(found: Mapping[float, float], step: float, targets: Sequence[int]) -> dict[int, float]:
    """A strength for the middle target of every bracket: the first two neighbouring strengths it lies between.

    The changes that rise above all before them are read as a monotone cubic, from change to strength.
    """
    points = sorted(found.items())
    brackets: dict[int, list[int]] = {}
    for k in targets:
        above = next(place for place, (_, change) in enumerate(points) if change >= k * step)
        brackets.setdefault(above, []).append(k)
    guess = inverse(points)
    aimed = {}
    for above, inside in brackets.items():
        (low, _), (high, _) = points[above - 1 : above + 1]
        k, margin = inside[len(inside) // 2], MARGIN * (high - low)
        aimed[k] = float(np.clip(guess(k * step), low + margin, high - margin))
    return aimed


def inverse(points: Sequence[tuple[float, float]]) -> Callable[[float], float]:
    """Strength as a function of change, through the points that exceed all before them."""
    from scipy.interpolate import PchipInterpolator

    rising = [point for index, point in enumerate(points) if all(point[1] > other[1] for other in points[:index])]
    strengths, changes = zip(*rising, strict=True)
    return PchipInterpolator(changes, strengths)  # type: ignore[no-any-return]
