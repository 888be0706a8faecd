"""The result table in the columns of TADA's table 3, and after them what an area rests on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import frozen

from tada_bench.protocol.bootstrap import Estimate
from tada_bench.protocol.support import Support
from tada_bench.results import ArmResult
from tada_bench.words import interval, number, share, span


@frozen
class Cell:
    """What stands in a table; `best` of its column within a concept, but for the arms that set the cut-off."""

    text: str
    best: bool = False


RANKED: dict[str, tuple[Callable[[ArmResult], Estimate | None], int]] = {
    "AUC +": (lambda result: result.positive, 1),
    "AUC -": (lambda result: result.negative, 1),
    "AUC avg": (lambda result: result.mean, 1),
    "smoothness": (lambda result: result.smoothness, -1),
    "quality": (lambda result: None if result.quality is None else result.quality.mean, 1),
}
"""Columns that have a best: where to find the number, and +1 where more is better."""

WIDE = ("first piece", "interpolated")
"""Columns that a terminal has no room for."""


def layout(results: Sequence[ArmResult]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """The heads of the columns, and a row per concept, metric and arm."""
    winners = {(name, *_place(result)) for name in RANKED for result in _best(results, name)}
    columns = [name for name in RANKED if any(RANKED[name][0](result) for result in results) or name != "quality"]
    head = ("concept", "method", *columns, *WIDE, "cut-off reached")
    return head, [
        (
            Cell(result.concept),
            Cell(f"{result.arm} {{{span(result.layers)}}}"),
            *(
                Cell(interval(RANKED[name][0](result) or Estimate(None)), (name, *_place(result)) in winners)
                for name in columns
            ),
            Cell(_sides(result, lambda found: found.first)),
            Cell(_sides(result, lambda found: found.interpolated)),
            Cell(verdict(result)),
        )
        for result in results
    ]


def _place(result: ArmResult) -> tuple[str, str, str]:
    return result.concept, result.metric, result.arm


def _best(results: Sequence[ArmResult], name: str) -> list[ArmResult]:
    """The results that read as the best of a column, of each concept and metric where they do not all read alike."""
    find, sign = RANKED[name]
    competing: dict[tuple[str, str], list[tuple[float, ArmResult]]] = {}
    for result in results:
        if not result.ceiling and (found := find(result)) is not None and found.value is not None:
            competing.setdefault((result.concept, result.metric), []).append((sign * found.value, result))
    return [
        result
        for rivals in competing.values()
        for value, result in rivals
        if number(value) == leading([value for value, _ in rivals])
    ]


def leading(values: Sequence[float]) -> str | None:
    """The largest number as it is written; None where all are written alike."""
    return number(max(values)) if len({number(value) for value in values}) > 1 else None


def _sides(result: ArmResult, find: Callable[[Support], float | None]) -> str:
    """A share of the area on the positive and on the negative side."""
    return " / ".join(share(None if one is None else find(one)) for one in result.support)


def verdict(result: ArmResult) -> str:
    """Whether the curve reaches the cut-off, in words."""
    if result.cutoffs == (None, None):
        return "no cut-off"
    short = [side for side, there in zip("+-", result.reached, strict=True) if not there]
    return "yes" if not short else f"not {' or '.join(short)}"
