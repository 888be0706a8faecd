"""Scores as a person reads them: tables, and a sentence for what a table cannot say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tada_bench.protocol.area import Version
from tada_bench.protocol.curve import Curve
from tada_bench.protocol.cutoff import reached
from tada_bench.protocol.measured import Measured
from tada_bench.protocol.scores import Score, Side
from tada_bench.protocol.support import support
from tada_bench.words import number, share

SIDES = ("+", "-")
HEADS = {
    "arm": "name",
    "alignment": "alignment",
    "auc": "AUC",
    "auc_pos": "AUC +",
    "auc_neg": "AUC -",
    "smoothness": "smooth",
    "smoothness_pos": "smooth +",
    "smoothness_neg": "smooth -",
}
Row = dict[str, str]


def overview(scores: Iterable[Score]) -> list[Row]:
    """One row per arm and alignment, for a narrow terminal."""
    return [{head: cell(score.row()[name]) for name, head in HEADS.items()} for score in scores]


def cell(value: str | float | None) -> str:
    """A number with three significant digits, n/a where it is undefined; text as it is."""
    # Rounded: what is 0 but for the last digits is shown as 0.
    return value if isinstance(value, str) else number(None if value is None else round(value, 12))


def basis(scores: Iterable[Score], version: Version) -> list[Row]:
    """What each area rests on, one row per arm, alignment and side that has an area."""
    return [
        {"name": score.arm, "alignment": score.alignment, "side": sign, **_basis(side.curve, side.limit, version)}
        for score in scores
        for sign, side in _sides(score)
        if side.curve is not None and side.auc is not None
    ]


def _basis(curve: Curve, limit: float | None, version: Version) -> Row:
    found = support(curve, limit, version)
    return {
        "cut-off": "none" if limit is None else number(limit),
        "reaches": number(found.reach),
        "gap": number(found.gap),
        "first piece": share(found.first),
        "interpolated": share(found.interpolated),
    }


def _sides(score: Score) -> tuple[tuple[str, Side], ...]:
    return tuple(zip(SIDES, (score.positive, score.negative), strict=True))


def shortcomings(positive: Side, negative: Side) -> tuple[str, ...]:
    """Why the area of a side is missing, or ends before the cut-off; one sentence for every side of which it is so."""
    said = ((sign, _note(side)) for sign, side in zip(SIDES, (positive, negative), strict=True))
    return tuple(f"side {sign}: {words}" for sign, words in said if words is not None)


def notes(arms: Sequence[Measured], scores: Sequence[Score]) -> Iterator[str]:
    """What a reader must know beside the numbers, one sentence each."""
    # The distance, and with it every note, is the same under every alignment.
    for score in {score.arm: score for score in scores}.values():
        for said in shortcomings(score.positive, score.negative):
            yield f"{score.arm}, {said}"
    for arm in arms:
        if len(set(arm.rows)) > 1:
            yield f"{arm.arm}: {min(arm.rows)} to {max(arm.rows)} rows per strength, so means are over different clips"
        if (start := arm.preservation[arm.strengths.index(0)]) != 0:
            yield f"{arm.arm}: the distance at strength 0 is {number(start)}, not 0"


def _note(side: Side) -> str | None:
    if side.curve is None:
        return "no strengths, so nothing is scored and there is no mean"
    if side.auc is None:
        return "not even strength 0 is below the cut-off, so nothing is scored"
    if not reached(side.curve, side.limit):
        return (
            f"does not reach the cut-off {number(side.limit)}; the curve ends at {number(side.curve.change.max())}, "
            "and nothing is extrapolated"
        )
    return None
