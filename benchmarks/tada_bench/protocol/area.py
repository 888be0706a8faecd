"""The area under a trade-off curve up to the cut-off (TADA sect. 5.1)."""

from __future__ import annotations

from typing import Literal

from numpy import append, argsort, diff, nan

from tada_bench.protocol.curve import Curve, Floats
from tada_bench.protocol.cutoff import TOLERANCE, truncate

Version = Literal["v2", "v1"]


def area(curve: Curve, limit: float | None, version: Version = "v2") -> float:
    """AUC of one direction, in the alignment metric's unit times the preservation metric's.

    v2: points up to the cut-off and, where a point lies beyond, one more exactly at the cut-off; the trapezoid of d
    over x along rising |a|, so that area is given back where x goes back. d is not clipped, nothing is divided by the
    cut-off. v1 (the numbers of the paper's table 3): sorted by x, without the point at the cut-off.
    """
    return float(pieces(path(curve, limit, version)).sum())


def path(curve: Curve, limit: float | None, version: Version = "v2") -> Curve:
    """The points that the area is taken over, in the order of its integral; the added one, if any, is the last.

    The added point lies at no strength that was run; its strength is nan.
    """
    kept = truncate(curve, limit)
    if version == "v1":
        # Stable: points of equal change stay in the order of |a|.
        order = argsort(kept.change, kind="stable")
        return Curve(kept.strengths[order], kept.change[order], kept.gain[order])
    if limit is None or (end := boundary(curve, limit)) is None:
        return kept
    return Curve(append(kept.strengths, nan), append(kept.change, limit), append(kept.gain, end))


def pieces(points: Curve) -> Floats:
    """Signed areas of the trapezoids between neighbouring points, shape [points - 1]."""
    return (points.gain[1:] + points.gain[:-1]) / 2 * diff(points.change)  # type: ignore[no-any-return]


def boundary(curve: Curve, limit: float) -> float | None:
    """Gain exactly at the cut-off, or None where no point lies beyond it.

    Linear between the kept point of largest change and the dropped point of smallest change.
    """
    kept = truncate(curve, limit)
    dropped = curve.change > limit + TOLERANCE
    if not dropped.any() or not len(kept.change):
        return None
    last, first = kept.change.argmax(), curve.change[dropped].argmin()
    low, high = kept.change[last], curve.change[dropped][first]
    # A point may be kept for lying a rounding error beyond the cut-off; the line is not drawn backwards from it.
    part = max(0.0, (limit - low) / (high - low))
    return float(kept.gain[last] + part * (curve.gain[dropped][first] - kept.gain[last]))
