"""What an intervention is and how it runs; knows no model, method or metric by name.

The names below are imported at first use, so that listing plugins loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "tada_core.adapter": ("Batch", "Call", "Defaults", "ModelAdapter"),
    "tada_core.localization.agreement": ("Agreement",),
    "tada_core.artifact": ("Artifact",),
    "tada_core.audio": ("Audio",),
    "tada_core.clip": ("Clip",),
    "tada_core.collection": ("collect",),
    "tada_core.calibration": ("calibrate",),
    "tada_core.concept": ("Concept",),
    "tada_core.contrastive": ("ContrastiveMethod", "fit_together"),
    "tada_core.dose": ("DoseScale",),
    "tada_core.engine.run": ("run",),
    "tada_core.entry": ("Entry",),
    "tada_core.errors": ("TadaError",),
    "tada_core.even": ("Even",),
    "tada_core.generation": ("Generation", "Row", "Settings", "seed_at", "with_seeds"),
    "tada_core.hookspecs": ("hookimpl", "hookspec"),
    "tada_core.localization.impact": ("Impact",),
    "tada_core.interventions": (
        "Ablate",
        "AddVector",
        "BlendScore",
        "Intervention",
        "LowRankAdd",
        "PatchKV",
        "PatchOutput",
        "PatchText",
        "SAEDecodeAdd",
        "ShiftPrompt",
        "ShiftTokens",
        "SparseAutoencoder",
        "SwitchPrompt",
    ),
    "tada_core.localization.localize": ("localize",),
    "tada_core.method": ("SteeringMethod",),
    "tada_core.metric": ("Metric",),
    "tada_core.localization.pair": ("Pair", "read_pairs", "write_pairs"),
    "tada_core.localization.part": ("Part", "couples", "singles", "stages"),
    "tada_core.schedule": ("Schedule",),
    "tada_core.localization.screening": ("screen",),
    "tada_core.serial": ("content_hash", "from_dict", "load_spec", "save_spec", "to_dict"),
    "tada_core.sites": ("Layer", "Site"),
    "tada_core.tensors": ("TensorRef",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Ablate",
    "AddVector",
    "Agreement",
    "Artifact",
    "Audio",
    "Batch",
    "BlendScore",
    "Call",
    "Clip",
    "Concept",
    "ContrastiveMethod",
    "Defaults",
    "DoseScale",
    "Entry",
    "Even",
    "Generation",
    "Impact",
    "Intervention",
    "Layer",
    "LowRankAdd",
    "Metric",
    "ModelAdapter",
    "Pair",
    "Part",
    "PatchKV",
    "PatchOutput",
    "PatchText",
    "Row",
    "SAEDecodeAdd",
    "Schedule",
    "Settings",
    "ShiftPrompt",
    "ShiftTokens",
    "Site",
    "SparseAutoencoder",
    "SteeringMethod",
    "SwitchPrompt",
    "TadaError",
    "TensorRef",
    "calibrate",
    "collect",
    "content_hash",
    "couples",
    "fit_together",
    "from_dict",
    "hookimpl",
    "hookspec",
    "load_spec",
    "localize",
    "read_pairs",
    "run",
    "save_spec",
    "screen",
    "seed_at",
    "singles",
    "stages",
    "to_dict",
    "with_seeds",
    "write_pairs",
]

if TYPE_CHECKING:
    from tada_core.adapter import Batch, Call, Defaults, ModelAdapter
    from tada_core.artifact import Artifact
    from tada_core.audio import Audio
    from tada_core.calibration import calibrate
    from tada_core.clip import Clip
    from tada_core.collection import collect
    from tada_core.concept import Concept
    from tada_core.contrastive import ContrastiveMethod, fit_together
    from tada_core.dose import DoseScale
    from tada_core.engine.run import run
    from tada_core.entry import Entry
    from tada_core.errors import TadaError
    from tada_core.even import Even
    from tada_core.generation import Generation, Row, Settings, seed_at, with_seeds
    from tada_core.hookspecs import hookimpl, hookspec
    from tada_core.interventions import (
        Ablate,
        AddVector,
        BlendScore,
        Intervention,
        LowRankAdd,
        PatchKV,
        PatchOutput,
        PatchText,
        SAEDecodeAdd,
        ShiftPrompt,
        ShiftTokens,
        SparseAutoencoder,
        SwitchPrompt,
    )
    from tada_core.localization.agreement import Agreement
    from tada_core.localization.impact import Impact
    from tada_core.localization.localize import localize
    from tada_core.localization.pair import Pair, read_pairs, write_pairs
    from tada_core.localization.part import Part, couples, singles, stages
    from tada_core.localization.screening import screen
    from tada_core.method import SteeringMethod
    from tada_core.metric import Metric
    from tada_core.schedule import Schedule
    from tada_core.serial import content_hash, from_dict, load_spec, save_spec, to_dict
    from tada_core.sites import Layer, Site
    from tada_core.tensors import TensorRef


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'tada_core' has no attribute '{name}'")
    return getattr(import_module(_MODULE[name]), name)


def __dir__() -> list[str]:
    return list(__all__)
