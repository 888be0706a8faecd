"""The network of package `audiobox_aesthetics`, its weights read without running what is in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from tada_core.errors import CheckpointError, MissingExtraError


def build(path: Path, config: Path | None = None) -> Any:
    """The network with the weights of a file, ready for use.

    Args:
        path: .safetensors, or the published pickle, of which only tensors and plain values are read.
        config: what the class is made with; None where the file itself says so, as the pickle does.

    Raises:
        CheckpointError: the file lacks a parameter, does not fit, or holds more than tensors.
        MissingExtraError: audiobox_aesthetics cannot be imported.
    """
    about, tensors = _pickle(path) if config is None else _safetensors(path, config)
    if not about.get("target_transform"):
        raise CheckpointError(
            f"'{path}' has no target_transform, without which its scores are not on the scale 1 to 10"
        )
    network = _class()(**about)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(
            f"'{path}' does not fit Audiobox Aesthetics: {str(error).splitlines()[1].strip()}"
        ) from error
    return network.eval().requires_grad_(False)


def _safetensors(path: Path, config: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
    from safetensors.torch import load_file

    return _options(json.loads(config.read_text())), load_file(path)


def _pickle(path: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
    from pickle import UnpicklingError

    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise CheckpointError(f"'{path}' holds more than tensors; take model.safetensors from the hub") from error
    about = {**found["model_cfg"], "target_transform": found["target_transform"]}
    return _options(about), {name.removeprefix("model."): value for name, value in found["state_dict"].items()}


def _options(about: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `about` that the class takes."""
    return {one.name: about[one.name] for one in fields(_class()) if one.name in about}


def _class() -> Any:
    try:
        from audiobox_aesthetics.model.aes import AesMultiOutput
    except (ImportError, OSError) as error:
        raise MissingExtraError(
            f"metric 'aesthetics' cannot import audiobox_aesthetics ({type(error).__name__}: {error}): "
            'pip install "tada-core[aesthetics]"'
        ) from error
    return AesMultiOutput
