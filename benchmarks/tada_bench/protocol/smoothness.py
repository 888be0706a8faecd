"""How evenly a method's effect grows with its strength; 0 is a straight line."""

from __future__ import annotations

from numpy import diff

from tada_bench.protocol.curve import Curve
from tada_bench.protocol.cutoff import truncate

LEAST_GAIN = 1e-9


def smoothness(curve: Curve, limit: float | None) -> float | None:
    """Population standard deviation of the steps of d / max(d) along rising |a|, up to the cut-off.

    None where the direction never gains anything, or has no second point below the cut-off.
    """
    kept = truncate(curve, limit)
    top = float(kept.gain.clip(min=0).max(initial=0.0))
    if top <= LEAST_GAIN or len(kept.gain) < 2:
        return None
    return float(diff(kept.gain / top).std())
