"""Everything the page shows, as plain JSON data."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from attrs import asdict

from tada_bench.figures import BANDS
from tada_bench.plan import Plan
from tada_bench.results import ArmResult, Score
from tada_bench.store.store import Store
from tada_bench.suite import Suite
from tada_bench.words import number
from tada_core.errors import SpecError
from tada_core.localization.impact import Impact


def page_data(
    suite: Suite,
    plan: Plan,
    store: Store,
    results: Sequence[ArmResult],
    scores: Sequence[Score],
    impacts: Mapping[str, Impact],
) -> dict[str, Any]:
    """One object: head, heat map, results, clips by place, failures."""
    units = plan.about["units"]
    return {
        "suite": suite.name,
        "model": plan.about["model"],
        "versions": plan.about["versions"],
        "made": made(store),
        "clips": len({point.identity for point in plan.points} & store.clips.keys()),
        "prompts": suite.prompts,
        "seeds": len(suite.seeds),
        "metrics": list(suite.alignment),
        "quality": {name: units["quality"][name] for name in suite.quality},
        "units": units,
        "preservation": suite.preservation,
        "ceiling": suite.ceiling,
        "concepts": [{"name": name, **plan.about["concepts"][name]} for name in suite.concepts],
        "arms": [{"name": arm.name, "method": arm.method, "place": arm.place} for arm in suite.arms],
        "bands": len(suite.arms) <= BANDS,
        "heat": [heat(impacts[name], suite, units["alignment"]) for name in suite.concepts if name in impacts],
        "results": [asdict(result) for result in results],
        "players": players(scores),
        "failures": store.failures(),
    }


def made(store: Store) -> str:
    """When the newest clip was made, UTC."""
    times = [path.stat().st_mtime for path in store.folder.glob("cells/*/DONE")]
    return datetime.fromtimestamp(max(times), UTC).strftime("%Y-%m-%d %H:%M UTC") if times else "never"


def heat(impact: Impact, suite: Suite, units: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """One row of the heat map: impact per layer with intervals, which layers were called local, the whole effect.

    Args:
        units: by alignment metric and concept, of the metrics the suite scores.
    """
    try:
        local = list(impact.top(suite.localization.top)) if suite.localization else []
    except SpecError:
        local = []
    return {
        "concept": impact.concept,
        "readout": impact.readout,
        "base": impact.base,
        "pairs": impact.source.size,
        "effect": number(_known(impact.effect)),
        "unit": units.get(impact.readout, {}).get(impact.concept, ""),
        "local": local,
        "layers": [{key: _known(value) for key, value in cell.items()} for cell in impact.table()],
    }


def _known(value: Any) -> Any:
    """None for a number that is undefined, because JSON has no nan."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def players(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """One sweep per concept, arm, prompt and seed, by rising strength, with the scores of every clip."""
    sweeps: dict[tuple[str, str, str, int], dict[float, dict[str, Any]]] = defaultdict(dict)
    for score in scores:
        point = score.point
        clip = sweeps[point.concept, point.arm, point.prompt, point.seed].setdefault(
            point.strength,
            {"strength": point.strength, "id": point.identity, "change": score.preservation, "alignment": {}},
        )
        clip["alignment"][score.metric] = score.alignment
    return [
        {"concept": concept, "arm": arm, "prompt": prompt, "seed": seed, "clips": [clips[a] for a in sorted(clips)]}
        for (concept, arm, prompt, seed), clips in sweeps.items()
    ]
