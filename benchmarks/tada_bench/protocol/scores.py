"""The scores of every arm of one concept, as `tada protocol` gives them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from attrs import frozen

from tada_bench.protocol.area import Version, area
from tada_bench.protocol.curve import Curve
from tada_bench.protocol.cutoff import cutoff, truncate
from tada_bench.protocol.measured import Measured
from tada_bench.protocol.smoothness import smoothness
from tada_core.errors import SpecError, unknown

SIGNS = (1, -1)
Limits = tuple[float | None, float | None]


@frozen
class Side:
    """One direction of one arm; the curve is None where the arm was not steered in it.

    Attributes:
        curve, limit: what is scored, and the cut-off it is scored up to.
        auc: None without a curve, and where no point, not even strength 0, lies below the cut-off.
        smoothness: None where it is undefined.
    """

    curve: Curve | None
    limit: float | None
    auc: float | None
    smoothness: float | None


@frozen
class Score:
    """One arm under one alignment metric."""

    arm: str
    alignment: str
    positive: Side
    negative: Side

    def row(self) -> dict[str, str | float | None]:
        """The numbers by name. Means are (pos + neg) / 2 (TADA table 3), None unless both are defined."""
        up, down = self.positive, self.negative
        return {
            "arm": self.arm,
            "alignment": self.alignment,
            "auc": _mean(up.auc, down.auc),
            "auc_pos": up.auc,
            "auc_neg": down.auc,
            "smoothness": _mean(up.smoothness, down.smoothness),
            "smoothness_pos": up.smoothness,
            "smoothness_neg": down.smoothness,
            "cutoff_pos": up.limit,
            "cutoff_neg": down.limit,
        }


def limits(arms: Sequence[Measured], ceiling: Iterable[str] = (), fixed: Limits = (None, None)) -> Limits:
    """The cut-offs of the positive and the negative side.

    A fixed one comes first; otherwise it is the smallest of the ceiling arms' largest changes on that side, of those
    that were steered in it; without either it is None, and curves are scored to their ends.

    Raises:
        UnknownNameError: a ceiling arm that is not there.
        SpecError: a fixed cut-off is negative or not finite.
    """
    known = {arm.arm: arm for arm in arms}
    for name in (ceiling := list(ceiling)):
        if name not in known:
            raise unknown("arm", name, known, f"the arms are {', '.join(known)}")
    for given in fixed:
        if given is not None and not 0 <= given < inf:
            raise SpecError(
                f"a cut-off is a distance, 0 or more and finite, not {given:g}; give its size on both sides"
            )
    up, down = (_limit([known[name] for name in ceiling], sign) for sign in SIGNS)
    return fixed[0] if fixed[0] is not None else up, fixed[1] if fixed[1] is not None else down


def _limit(ceiling: Sequence[Measured], sign: int) -> float | None:
    # The change is the same under every alignment metric.
    curves = (arm.curve(next(iter(arm.alignment)), sign) for arm in ceiling)
    return cutoff(curve for curve in curves if curve is not None)


def scores(arms: Iterable[Measured], bounds: Limits = (None, None), definition: Version = "v2") -> list[Score]:
    """Every arm under every alignment metric, in the file's order."""
    return [
        Score(
            arm.arm,
            name,
            *(side(arm.curve(name, s), limit, definition) for s, limit in zip(SIGNS, bounds, strict=True)),
        )
        for arm in arms
        for name in arm.alignment
    ]


def side(curve: Curve | None, limit: float | None, definition: Version = "v2") -> Side:
    """The scores of one direction."""
    found = auc(curve, limit, definition)
    return Side(curve, limit, found, None if curve is None else smoothness(curve, limit))


def auc(curve: Curve | None, limit: float | None, definition: Version = "v2") -> float | None:
    """The area of one direction; None without a curve, and where no point of it lies below the cut-off."""
    if curve is None or not len(truncate(curve, limit).change):
        return None
    # Adding 0 turns -0 into 0.
    return area(curve, limit, definition) + 0.0


def _mean(up: float | None, down: float | None) -> float | None:
    return None if up is None or down is None else (up + down) / 2
