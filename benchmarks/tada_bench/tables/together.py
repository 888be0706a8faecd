"""The table of all concepts together."""

from __future__ import annotations

from collections.abc import Callable

from tada_bench.overall import Overall, Together
from tada_bench.protocol.bootstrap import Estimate
from tada_bench.tables.layout import Cell, leading
from tada_bench.words import interval, number

AREAS: dict[str, Callable[[Overall], Estimate]] = {
    "AUC +": lambda arm: arm.positive,
    "AUC -": lambda arm: arm.negative,
    "AUC avg": lambda arm: arm.mean,
}
HEAD = ("method", *AREAS, "concepts")


def rows(found: Together) -> list[tuple[Cell, ...]]:
    """A row per arm, in the order of HEAD; bold is the best of those that steer all concepts, but for the ceiling's."""
    whole = [arm for arm in found.arms if not arm.ceiling and len(arm.concepts) == len(found.scales)]
    best = {
        name: leading([value for arm in whole if (value := area(arm).value) is not None])
        for name, area in AREAS.items()
    }
    return [
        (
            Cell(arm.arm),
            *(
                Cell(interval(area(arm)), arm in whole and number(area(arm).value) == best[name])
                for name, area in AREAS.items()
            ),
            Cell(f"{len(arm.concepts)} of {len(found.scales)}"),
        )
        for arm in found.arms
    ]


def said(found: Together, ceiling: str) -> str:
    """What the numbers are, in a sentence or two."""
    words = (
        f"Areas as shares of the AUC avg that {ceiling} has on the concept, averaged over "
        f"{', '.join(found.scales)}: 1 is what changing the prompt does."
    )
    if not found.omitted:
        return words
    return f"{words} Left out: {', '.join(found.omitted)}, where {ceiling} has no AUC avg that is surely above zero."
