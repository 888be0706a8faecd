"""How much of an area rests on measured points, and how much on straight lines between few of them."""

from __future__ import annotations

from attrs import frozen
from numpy import diff, isnan, sort

from tada_bench.protocol.area import Version, path, pieces
from tada_bench.protocol.curve import Curve


@frozen
class Support:
    """What one direction's area rests on.

    Attributes:
        reach: the largest change of the whole curve, in the preservation metric's unit.
        gap: the longest stretch of change up to the cut-off without a measured point, in the same unit.
        first: share of the area in the first trapezoid, which for v2 is from strength 0 to the weakest one.
        interpolated: share of the area in the trapezoid that ends in the point added at the cut-off; 0 where none is.

    Shares are of the sum of the trapezoids' sizes, so that they lie between 0 and 1 where areas cancel; they are
    None where that sum is 0, and so is the gap where there are fewer than two points.
    """

    reach: float
    gap: float | None
    first: float | None
    interpolated: float | None


def support(curve: Curve, limit: float | None, version: Version = "v2") -> Support:
    """What the area of `curve` up to the cut-off rests on."""
    points = path(curve, limit, version)
    sizes = abs(pieces(points))
    whole, reach = float(sizes.sum()), float(curve.change.max())
    gap = float(diff(sort(points.change)).max()) if len(sizes) else None
    if not whole:
        return Support(reach, gap, None, None)
    added = bool(isnan(points.strengths[-1]))
    return Support(reach, gap, float(sizes[0]) / whole, float(sizes[-1]) / whole if added else 0.0)
