"""The calibrated dose: 1.0 changes the clip as much, in a preservation metric, as swapping the whole prompt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from attrs import field, frozen

from tada_core.errors import DoseError, SpecError

_ROUNDING = 1e-4
"""A full prompt swap is dose 1 up to the rounding of another batch; it must stay reachable."""


def _sorted(_: object, __: object, points: tuple[tuple[float, float], ...]) -> None:
    strengths = [strength for strength, _ in points]
    if strengths != sorted(set(strengths)) or (0.0, 0.0) not in points:
        raise SpecError("dose points need rising strengths and the point (0, 0)")


def _points(values: Iterable[Sequence[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(strength), float(dose)) for strength, dose in values)


@frozen
class DoseScale:
    """Measured (strength, dose) points of one artefact; doses carry the sign of the strength.

    Attributes:
        metric: the preservation metric that was used.
        unit: unit of the strengths.
        points: (strength, dose) by rising strength, (0, 0) among them.
    """

    metric: str
    unit: str
    points: tuple[tuple[float, float], ...] = field(converter=_points, validator=_sorted)

    def largest(self, sign: int) -> float:
        """The largest dose reached on one side, signed (0.0 when that side was not measured)."""
        return sign * max((sign * dose for strength, dose in self.points if sign * strength >= 0), default=0.0)

    def strength(self, dose: float) -> float:
        """The smallest strength that reaches `dose`, linear between measured points.

        Raises:
            DoseError: calibration never reached that dose; names the largest it did.
        """
        if dose == 0:
            return 0.0
        sign = 1 if dose > 0 else -1
        side = sorted((sign * a, sign * b) for a, b in self.points if sign * a >= 0)
        for (low, reached), (high, further) in pairwise(side):
            if reached < sign * dose <= further * (1 + _ROUNDING):
                share = (sign * dose - reached) / (further - reached)
                return sign * (low + (high - low) * min(share, 1.0))
        raise DoseError(
            f"dose {dose:g} was never reached: the largest on this side is {self.largest(sign):.3g} "
            f"({self.metric}); ask for less, or calibrate with larger strengths"
        )
