"""How good the clips sound on the way to the cut-off (TADA sect. 5.1)."""

from __future__ import annotations

from numpy import asarray, float64, interp, lexsort, linspace
from numpy.typing import ArrayLike

from tada_bench.protocol.cutoff import TOLERANCE

POINTS = 15


def quality(change: ArrayLike, scores: ArrayLike, limit: float | None) -> float | None:
    """Mean quality of one direction at evenly spaced changes, so that how its strengths are spaced plays no part.

    Q = 1/|G| sum over x in G of q(x), where q is linear between the measured points in the order of their change, and
    G holds those of the 15 changes k P_max / 14 (k = 0 to 14) that lie between the smallest and the largest measured
    one: nothing is extrapolated.

    Args:
        change: x, mean distance to the unsteered clip in the preservation metric's unit, shape [points], in any order.
        scores: q, mean score of the quality metric, shape [points].
        limit: the cut-off P_max; None is the end of the curve.

    Returns:
        In the quality metric's unit; None without a point, and where all points lie beyond the cut-off.
    """
    x, q = asarray(change, float64), asarray(scores, float64)
    if not len(x):
        return None
    order = lexsort((q, x))
    grid = linspace(0, x.max() if limit is None else limit, POINTS)
    inside = grid[(grid >= x.min() - TOLERANCE) & (grid <= x.max() + TOLERANCE)]
    return float(interp(inside, x[order], q[order]).mean()) if len(inside) else None
