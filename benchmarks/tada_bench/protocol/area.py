"""The area under a trade-off curve up to the cut-off (TADA sect. 5.1)."""

from __future__ import annotations

from typing import Literal

from numpy import append, argsort, diff

from tada_bench.protocol.curve import Curve, Floats
from tada_bench.protocol.cutoff import TOLERANCE, truncate

Version = Literal["v2", "v1"]


def area(curve: Curve, limit: float | None, version: Version = "v2") -> float:
    """AUC of one direction, in the alignment metric's unit times the preservation metric's.

    v2: points up to the cut-off and, where a point lies beyond, one more exactly at the cut-off; the trapezoid of d
    over x along rising |a|, so that area is given back where x goes back. d is not clipped, nothing is divided by the
    cut-off. v1 (the numbers of the paper's table 3): sorted by x, without the point at the cut-off.
    """
    kept = truncate(curve, limit)
    if version == "v1":
        order = argsort(kept.change, kind="stable")
        return float(_trapezoid(kept.gain[order], kept.change[order]))
    change, gain = kept.change, kept.gain
    if limit is not None and (end := boundary(curve, limit)) is not None:
        change, gain = append(change, limit), append(gain, end)
    return float(_trapezoid(gain, change))


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
    part = (limit - low) / (high - low)
    return float(kept.gain[last] + part * (curve.gain[dropped][first] - kept.gain[last]))


def _trapezoid(gain: Floats, change: Floats) -> Floats:
    return ((gain[1:] + gain[:-1]) / 2 * diff(change)).sum()  # type: ignore[no-any-return]
