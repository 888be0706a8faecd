"""Checkpoint folders: what a folder holds, and which of its files is missing."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

from tada_core.errors import CheckpointError

INDEX = "model_index.json"


def check_folder(folder: Path, pipeline: type) -> None:
    """Refuse a folder that holds another pipeline, or only a part of one.

    Args:
        folder: where the pipeline was saved.
        pipeline: the class it must hold.

    Raises:
        CheckpointError: names the missing file, or the pipeline that is there instead.
    """
    if not (folder / INDEX).is_file():
        raise CheckpointError(f"'{folder}' is no pipeline folder: {INDEX} is missing")
    index: dict[str, Any] = json.loads((folder / INDEX).read_text())
    if (found := index.get("_class_name")) != pipeline.__name__:
        wanted = pipeline.__name__
        raise CheckpointError(f"'{folder}' holds a {found}, not a {wanted}; load it with the model of that pipeline")
    for name, argument in inspect.signature(pipeline).parameters.items():
        # [null, null] stands for an optional component that was not there; one with a default may not be saved at all.
        library, kind = index.get(name) or (None, None)
        optional = argument.default is not argument.empty and not (folder / name).is_dir()
        if library and kind and not optional:
            require_files(folder, name, library, kind)


def require_files(folder: Path, part: str, library: str, kind: str) -> None:
    """Refuse a folder where a file of one component is missing.

    Args:
        folder: the whole checkpoint.
        part: the component's folder in it; "" where it is the folder itself.
        library, kind: the package and class it is made from.

    Raises:
        CheckpointError: names the missing file.
    """
    if missing := missing_file(folder / part, library, kind):
        name = Path(part, missing)
        raise CheckpointError(f"'{folder}' is incomplete: {name} is missing; copy or download it again")


def missing_file(folder: Path, library: str, kind: str) -> str | None:
    """The first file a component needs and lacks, relative to its folder.

    Args:
        folder: the component's.
        library, kind: the package and class it is made from, as model_index.json gives them.
    """
    config = config_of(kind)
    if not (folder / config).is_file():
        return config
    if config != "config.json":
        return None
    for index in sorted(folder.glob("*.index.json")):
        shards = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        if absent := next((shard for shard in shards if not (folder / shard).is_file()), None):
            return str(absent)
    weights = [*folder.glob("*.safetensors"), *folder.glob("*.bin")]
    stem = "model" if library == "transformers" else "diffusion_pytorch_model"
    return None if weights else f"{stem}.safetensors"


def config_of(kind: str) -> str:
    """Name of the file a component of this class is configured by; "config.json" where it has weights."""
    if "Scheduler" in kind:
        return "scheduler_config.json"
    if "Tokenizer" in kind:
        return "tokenizer_config.json"
    return "preprocessor_config.json" if "FeatureExtractor" in kind else "config.json"
