"""The two files of a saved autoencoder: a JSON config and safetensors weights, read with a check of every field."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from tada_core.errors import ArtifactError

CONFIG = "cfg.json"


def write(folder: Path, name: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Path:
    """Write weights and their config into a folder, made where it is missing; the folder."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    # Clones, since safetensors refuses tensors that share memory, as a tied encoder and decoder may.
    save_file({key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}, folder / name)
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return folder


def read_config(folder: Path, needed: tuple[str, ...]) -> dict[str, Any]:
    """The config in a folder.

    Raises:
        ArtifactError: it is missing or damaged, or lacks one of `needed`.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(f"cannot read {folder / CONFIG}: {error}") from error
    if not isinstance(config, dict) or (missing := [name for name in needed if name not in config]):
        lacks = f"it lacks {', '.join(missing)}" if isinstance(config, dict) else "it is no JSON object"
        raise ArtifactError(f"{folder / CONFIG} is no autoencoder's config: {lacks}")
    return config


def demand(folder: Path, config: Mapping[str, Any], wanted: Mapping[str, Any], absent: Container[str]) -> None:
    """Refuse a config that says something else than `wanted`; the names in `absent` may be left out.

    Raises:
        ArtifactError: names the field and what would do.
    """
    for name, value in wanted.items():
        if (found := config.get(name, value if name in absent else None)) != value:
            raise ArtifactError(f"{folder / CONFIG} says {name} = {found!r}; only {value!r} can be used here")


def whole(folder: Path, config: Mapping[str, Any], name: str) -> int:
    """A whole number above zero of a config.

    Raises:
        ArtifactError: it is something else.
    """
    value = config.get(name)
    if type(value) is not int or value < 1:
        raise ArtifactError(f"{folder / CONFIG} says {name} = {value!r}; it must be a whole number above zero")
    return value


def kept(folder: Path, config: Mapping[str, Any], features: int) -> int:
    """k of a config.

    Raises:
        ArtifactError: it is no whole number from 1 to `features`.
    """
    if (k := whole(folder, config, "k")) > features:
        raise ArtifactError(f"{folder / CONFIG} keeps k = {k} of {features} features; k must not be more")
    return k


def read_tensors(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Tensors of exactly these names and shapes.

    Raises:
        ArtifactError: the file is missing or damaged, or holds others.
    """
    from safetensors.torch import load_file

    try:
        found: dict[str, Tensor] = load_file(path)
    except Exception as error:
        raise ArtifactError(f"cannot read {path}: {error}") from error
    if found.keys() != shapes.keys():
        raise ArtifactError(f"{path} holds {', '.join(sorted(found))}; it must hold {', '.join(sorted(shapes))}")
    for name, shape in shapes.items():
        if tuple(found[name].shape) != shape:
            raise ArtifactError(f"{path}: {name} has shape {list(found[name].shape)}, the config says {list(shape)}")
    return found
