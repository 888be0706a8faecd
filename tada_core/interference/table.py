"""The tables of an interference report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tada_core.maths.interference import KINDS

if TYPE_CHECKING:
    from tada_core.interference.interference import Interference


def effects(found: Interference) -> list[dict[str, Any]]:
    """What each artefact alone, turned up and down, does to every concept, in its unit and in prompt swaps."""
    changed, share, (low, high) = found.changes, found.shares, found.intervals
    return [
        {
            "turned": f"{name} {sign * found.strengths[j]:+g} {found.scales[j]}",
            "reads": found.readings[i],
            **_interval("change", changed[kind, i, j], low[kind, i, j], high[kind, i, j]),
            "unit": found.units[i],
            **_interval("share", share[kind, i, j], low[4 + kind, i, j], high[4 + kind, i, j]),
        }
        for j, name in enumerate(found.names)
        for kind, sign in ((0, 1), (1, -1))
        for i in range(len(found.names))
    ]


def together(found: Interference) -> list[dict[str, Any]]:
    """What an artefact does to its own concept alone and beside another one, in prompt swaps of that concept."""
    share, (low, high) = found.shares, found.intervals
    beside, gap = KINDS.index("beside"), KINDS.index("gap")
    return [
        {
            "steered": name,
            "beside": other,
            "alone": float(share[0, i, i]),
            "together": float(share[0, i, i] + share[beside, i, j]),
            **_interval("change", share[beside, i, j], low[4 + beside, i, j], high[4 + beside, i, j]),
            **_interval("gap", share[gap, i, j], low[4 + gap, i, j], high[4 + gap, i, j]),
        }
        for i, name in enumerate(found.names)
        for j, other in enumerate(found.names)
        if i != j
    ]


def cosines(found: Interference) -> list[dict[str, Any]]:
    """Cosines of the artefacts' vectors; NaN where they never write to the same place."""
    return [
        {"artefact": name, **{other: float(found.cosines[i, j]) for j, other in enumerate(found.names)}}
        for i, name in enumerate(found.names)
    ]


def _interval(name: str, value: float, low: float, high: float) -> dict[str, float]:
    return {name: float(value), f"{name} low": float(low), f"{name} high": float(high)}


PARTS: dict[str, Callable[[Interference], list[dict[str, Any]]]] = {
    "effects": effects,
    "together": together,
    "cosines": cosines,
}
"""The tables by name."""
