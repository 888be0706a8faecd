"""The published numbers beside a run's own."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from importlib.resources import files

from attrs import frozen

from tada_bench.protocol.area import Version
from tada_bench.protocol.curve import curve
from tada_bench.protocol.scores import SIGNS, side
from tada_bench.results import ArmResult
from tada_bench.words import number

LINK = "https://arxiv.org/abs/2602.11910"
MODEL = "ace-step"
FIRST: Version = "v1"
"""The definition of area behind table 3."""


@frozen
class Beside:
    """A table of published numbers and those of a run; without rows where the run is of another model.

    Attributes:
        said: what they are, in words that come before the link.
        head, rows: the table.
    """

    said: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


Printed = dict[str, str]


def published(table: str) -> list[Printed]:
    """The rows of "table2" or "table3" as printed; a dash is an empty cell."""
    return list(csv.DictReader((files("tada_bench.paper") / f"{table}.csv").read_text().splitlines()))


def beside(suite: str, model: str, results: Sequence[ArmResult]) -> Beside | None:
    """The numbers that the paper prints of a suite; None where it prints none.

    Args:
        suite, model: names.
        results: of all metrics.
    """
    if suite not in TABLES:
        return None
    table, words, head, here = TABLES[suite]
    if model != MODEL:
        return Beside(f"The numbers that the paper prints of this suite are of ACE-Step, and not of {model}")
    known = {(one.concept, one.method, one.place, one.metric): here(one) for one in results}
    rows = []
    for line in published(table):
        place = line["concept"], line["method"], line["place"], line["metric"]
        own = known.get(place, {})
        cells = (f"{line[name] or 'n/a'} / {own.get(name, 'n/a')}" for name in head.values())
        if any(line["concept"] == one.concept for one in results):
            rows.append((place[0], f"{place[1]} {place[2]}", place[3], *cells))
    return Beside(words, ("concept", "method", "metric", *head), tuple(rows))


def _areas(ours: ArmResult) -> dict[str, str]:
    up, down = (_first(ours, sign, limit) for sign, limit in zip(SIGNS, ours.cutoffs, strict=True))
    return {
        "positive": number(up),
        "negative": number(down),
        "mean": number(None if up is None or down is None else (up + down) / 2),
        "smoothness": number(ours.smoothness.value),
        "quality": number(None if ours.quality is None else ours.quality.mean.value),
    }


def _first(ours: ArmResult, sign: int, limit: float | None) -> float | None:
    """The area of one direction by the paper's own definition."""
    own = [point for point in ours.points if sign * point.strength >= 0]
    strengths = [point.strength for point in own]
    gains, changes = ([getattr(point, name).value for point in own] for name in ("gain", "change"))
    return side(curve(strengths, [gains], [changes], sign), limit, FIRST).auc if len(own) > 1 else None


def _ends(ours: ArmResult) -> dict[str, str]:
    ends = [point for point in (ours.points[-1], ours.points[0]) if point.strength]
    gains = (abs(point.strength) / point.strength * (point.gain.value or 0.0) for point in ends)
    return {
        "change": " and ".join(number(point.change.value) for point in ends),
        "gain": " and ".join(map(number, gains)),
    }


OWN = "the paper's prompts are its own, and its layers 7 and 8 are 6 and 7 here"
TABLES: dict[str, tuple[str, str, dict[str, str], Callable[[ArmResult], dict[str, str]]]] = {
    "tada-table2": (
        "table2",
        "Published / here. At which strength the paper does not say; here it is the largest of either side, first the "
        f"positive one; {OWN}",
        {"change": "change", "gain": "gain"},
        _ends,
    ),
    "tada-table3": (
        "table3",
        "Published / here. Here areas are also by the paper's definition, sorted by change and without a point at the "
        f"cut-off, so that they are not those above; {OWN}",
        {"AUC +": "positive", "AUC -": "negative", "AUC avg": "mean", "smoothness": "smoothness", "quality": "quality"},
        _areas,
    ),
}
"""By suite: the file, what to know beside it, its columns with their names in the file, and a run's own numbers."""
