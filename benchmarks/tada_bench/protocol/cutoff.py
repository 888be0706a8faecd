"""The cut-off P_max: no method is credited for a change larger than replacing the prompt itself makes."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from tada_bench.protocol.curve import Curve

TOLERANCE = 1e-9


def cutoff(ceiling: Iterable[Curve]) -> float | None:
    """The smallest of the largest changes of the prompt-switching arms of one direction; None without any."""
    return min((float(curve.change.max()) for curve in ceiling), default=None)


def reached(curve: Curve, limit: float | None) -> bool:
    """Whether the curve gets as far as the cut-off; one that does not is never extrapolated."""
    return limit is None or bool(curve.change.max() >= limit - TOLERANCE)


def truncate(curve: Curve, limit: float | None) -> Curve:
    """The points whose change is at most the cut-off."""
    if limit is None:
        return curve
    kept = curve.change <= limit + TOLERANCE
    return evolve(curve, strengths=curve.strengths[kept], change=curve.change[kept], gain=curve.gain[kept])
