"""Results, differences and scores in full precision, as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from attrs import asdict

from tada_bench.comparisons import NAMES, Comparison
from tada_bench.overall import Overall
from tada_bench.protocol.bootstrap import Estimate
from tada_bench.results import ArmResult, Score, TwoSided

SIDES = ("positive", "negative")


def results_csv(results: Iterable[ArmResult]) -> str:
    """One line per concept, arm and metric."""
    return _csv([_result(result) for result in results])


def _result(result: ArmResult) -> dict[str, object]:
    row: dict[str, object] = {
        "concept": result.concept,
        "arm": result.arm,
        "layers": " ".join(map(str, result.layers)),
        "metric": result.metric,
        "unit": result.unit,
        "prompts": result.prompts,
        "seeds": result.seeds,
        **{f"cutoff_{side}": limit for side, limit in zip(SIDES, result.cutoffs, strict=True)},
    }
    for name in (*NAMES, "smoothness"):
        row |= _estimate(name, getattr(result, name))
    for name, found in {"quality": result.quality, **result.qualities}.items():
        row |= {} if found is None else _two_sided(name, found)
    for side, there, rests in zip(SIDES, result.reached, result.support, strict=True):
        row[f"reached_{side}"] = there
        row |= {f"{name}_{side}": rests and getattr(rests, name) for name in ("reach", "gap", "first", "interpolated")}
    return row


def _two_sided(name: str, found: TwoSided) -> dict[str, object]:
    sides = {side: _estimate(f"{name}_{side}", getattr(found, side)) for side in SIDES}
    return _estimate(name, found.mean) | sides["positive"] | sides["negative"]


def _estimate(name: str, found: Estimate) -> dict[str, object]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def overall_csv(arms: Iterable[Overall]) -> str:
    """One line per arm and metric, all concepts together."""
    return _csv([_overall(arm) for arm in arms])


def _overall(arm: Overall) -> dict[str, object]:
    row: dict[str, object] = {"arm": arm.arm, "metric": arm.metric, "concepts": " ".join(arm.concepts)}
    for name in NAMES:
        row |= _estimate(name, getattr(arm, name))
    return row


def comparisons_csv(found: Iterable[Comparison]) -> str:
    """One line per pair of arms, concept and metric; a difference is that of the first arm less the second."""
    return _csv([_comparison(asdict(one)) for one in found])


def _comparison(found: Mapping[str, object]) -> dict[str, object]:
    row: dict[str, object] = {}
    for name, value in found.items():
        row |= {f"{name}_{key}": one for key, one in value.items()} if isinstance(value, Mapping) else {name: value}
    return row


def scores_csv(scores: Iterable[Score]) -> str:
    """One line per clip and alignment metric."""
    return _csv(
        [
            {
                "concept": score.point.concept,
                "arm": score.point.arm,
                "prompt": score.point.prompt,
                "seed": score.point.seed,
                "strength": score.point.strength,
                "metric": score.metric,
                "alignment": score.alignment,
                "preservation": score.preservation,
                **score.quality,
                "identity": score.point.identity,
            }
            for score in scores
        ]
    )


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    if rows:
        writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
