"""What makes a clip the clip it is: one hash over everything that changes the output, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

from attrs import asdict, frozen

from tada_core.adapter import ModelAdapter
from tada_core.generation import Row, Settings, fill
from tada_core.serial import canonical, to_dict

VERSION = 1
"""Raised whenever the same inputs would give another identity, or the engine another clip."""

PROMPTS = ("donor", "prompt", "positive", "negative")
"""Fields of interventions that hold a prompt template."""


@frozen
class Fingerprint:
    """A loaded model: its registry name, a digest of weights and options, and its settings when none are given."""

    model: str
    weights: str
    defaults: Settings


def identity(row: Row, fingerprint: Fingerprint) -> str:
    """The identity of a clip, 20 hexadecimal digits of a SHA-256.

    It covers this function's version, the model's name and weights, the settings with the model's defaults filled in,
    the prompt as the model reads it, the seed, and the interventions in order with their prompts filled in and their
    tensors by content. It leaves out what does not change the output: the names of concept, arm and method, the split
    of the text into prompt and template, and the batch the clip was made in.
    """
    what = {
        "version": VERSION,
        "model": fingerprint.model,
        "weights": fingerprint.weights,
        "settings": asdict(row.settings.over(fingerprint.defaults)),
        "text": row.text,
        "seed": row.seed,
        "interventions": [_filled(to_dict(item), row.prompt) for item in row.interventions],
    }
    return hashlib.sha256(canonical(what).encode()).hexdigest()[:20]


def _filled(intervention: dict[str, Any], prompt: str) -> dict[str, Any]:
    return {
        key: fill(value, prompt) if key in PROMPTS and isinstance(value, str) else value
        for key, value in intervention.items()
    }


def fingerprint(model: ModelAdapter) -> Fingerprint:
    """The fingerprint of a loaded model: every parameter and buffer of its networks, and how it was told to sample."""
    from tada_core.tensors import digest

    found = hashlib.sha256(str(model.rate).encode())
    for name, network in sorted(model.parts().items()):
        for key, tensor in sorted(network.state_dict().items()):
            found.update(f"{name}.{key} {digest(tensor)}".encode())
    if model.options:
        found.update(canonical(dict(model.options)).encode())
    return Fingerprint(model.name, found.hexdigest(), model.resolve(Settings()))
