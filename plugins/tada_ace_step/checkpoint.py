"""Reading one folder of the published layout: config.json beside safetensors, one file or shards."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

from tada_core.errors import CheckpointError

Module = TypeVar("Module", bound=nn.Module)
WEIGHTS = "diffusion_pytorch_model.safetensors"


def require(path: Path) -> Path:
    """The path, where it exists.

    Raises:
        CheckpointError: it does not; names it.
    """
    if not path.exists():
        raise CheckpointError(f"'{path}' is missing from the checkpoint")
    return path


def read_config(folder: Path) -> dict[str, object]:
    """The folder's config.json."""
    config: dict[str, object] = json.loads(require(folder / "config.json").read_text(encoding="utf-8"))
    return config


def read_tensors(folder: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Tensor]]:
    """Name and tensor of every wanted parameter; the others are never read from disk."""
    index = folder / f"{WEIGHTS}.index.json"
    names = [WEIGHTS]
    if index.exists():
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    for name in names:
        with safe_open(require(folder / name), "pt") as file:
            yield from ((key, file.get_tensor(key)) for key in file.keys() if wanted(key))  # noqa: SIM118


def read_module(
    build: type[Module],
    folder: Path,
    dtype: torch.dtype,
    unused: tuple[str, ...] = (),
    change: Callable[[dict[str, Tensor]], dict[str, Tensor]] = lambda state: state,
) -> Module:
    """A module with the folder's configuration and weights; keys of the configuration it does not know are ignored.

    Args:
        build: its class, whose parameters have the configuration's names.
        folder: config.json and safetensors.
        dtype: of its parameters.
        unused: patterns of parameters that are in the file and not in the module.
        change: makes the module's parameters out of the file's.

    Raises:
        CheckpointError: a file or a parameter is missing, or one is not expected.
    """
    known = set(inspect.signature(build).parameters)
    with torch.device("meta"):
        module = build(**{key: value for key, value in read_config(folder).items() if key in known})
    dropped = re.compile("|".join(unused) or "$^")
    state = change(dict(read_tensors(folder, lambda key: not dropped.search(key))))
    wrong = module.load_state_dict({key: value.to(dtype) for key, value in state.items()}, strict=False, assign=True)
    if wrong.missing_keys or wrong.unexpected_keys:
        missing, extra = wrong.missing_keys[:3], wrong.unexpected_keys[:3]
        raise CheckpointError(f"'{folder}' is not this model's: parameters missing {missing}, not expected {extra}")
    return module.eval()
