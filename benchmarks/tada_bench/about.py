"""What a reader of results must know beside the numbers: model, versions, units, layers."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from attrs import asdict

from tada_bench.session import Session

if TYPE_CHECKING:
    from tada_core.artifact import Artifact
    from tada_core.dose import DoseScale

PACKAGES = ("tada-core", "torch", "nnsight", "diffusers", "transformers", "numpy")


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def about(
    session: Session,
    impacts: dict[str, str],
    artifacts: dict[tuple[str, str], Artifact],
    scales: dict[tuple[str, str], DoseScale],
) -> dict[str, Any]:
    """The plan's head as JSON data.

    Args:
        impacts: key of the impact of every concept that has one.
        artifacts: by concept and arm name.
        scales: what doses the strengths of an arm are, where they were placed by what they change.
    """
    suite, model = session.suite, session.model
    units = {arm.name: arm.unit for arm in suite.arms}
    alignment = {name: session.tools.get_metric(name) for name in suite.alignment}
    return {
        "model": {
            "name": model.name,
            "licence": model.licence,
            "weights": session.fingerprint.weights,
            "options": dict(model.options),
            "rate": model.rate,
            "layers": len(model.layers),
            "settings": asdict(model.resolve(suite.settings)),
        },
        "versions": versions(),
        "concepts": {
            name: {"positive": concept.positive, "negative": concept.negative, "neutral": concept.neutral}
            for name, concept in session.concepts.items()
        },
        "units": {
            "alignment": {
                name: {concept: metric.unit_for(value) for concept, value in session.concepts.items()}
                for name, metric in alignment.items()
            },
            "preservation": session.tools.get_metric(suite.preservation).unit,
            "quality": {name: session.tools.get_metric(name).unit for name in suite.quality},
        },
        "impacts": impacts,
        "arms": [
            {
                "concept": concept,
                "arm": arm,
                "layers": list(artifact.layers),
                "unit": units[arm] or artifact.units[0],
                **({"dose": asdict(scales[concept, arm])} if (concept, arm) in scales else {}),
            }
            for (concept, arm), artifact in artifacts.items()
        ],
    }
