"""A checkpoint of a training: one file, never half written, and never that of another training."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from attrs import asdict

from tada_core import ModelAdapter
from tada_core.errors import ArtifactError
from tada_sae.settings import Spec, TrainSettings

NAME = "checkpoint.pt"


def identity(
    model: ModelAdapter, prompts: Sequence[str], specs: Sequence[Spec], settings: TrainSettings
) -> dict[str, str]:
    """What a training is, part by part; the model by its name, options and layers, not by its weights."""
    parts = {
        "model": [model.name, dict(model.options), [layer.width for layer in model.layers]],
        "prompts": hashlib.sha256("\0".join(prompts).encode()).hexdigest(),
        "specs": [asdict(spec) for spec in specs],
        "trainer settings": asdict(settings.trainer),
        "stream settings": asdict(settings.stream),
    }
    return {name: json.dumps(part, sort_keys=True, default=str) for name, part in parts.items()}


def write(folder: Path, of: dict[str, str], state: dict[str, Any]) -> None:
    """Write the state of a training into `folder`: a temporary file, renamed once it is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f"{NAME}.part"
    torch.save({"of": of, "state": state}, temporary)
    temporary.replace(folder / NAME)


def read(folder: Path, of: dict[str, str]) -> dict[str, Any] | None:
    """The state in `folder`, or None where there is no checkpoint. Tensors and plain values only, no code is run.

    Raises:
        ArtifactError: the file is damaged, or of another training; says in what it differs.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        stored = torch.load(path, weights_only=True, map_location="cpu")
        found, state = stored["of"], stored["state"]
    except Exception as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ArtifactError(f"cannot read {path}: {reason}; delete it to begin anew") from error
    if differs := [name for name in of if found.get(name) != of[name]]:
        raise ArtifactError(f"{path} is of another training: other {', '.join(differs)}; choose another folder")
    return dict(state)
