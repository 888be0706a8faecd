"""MuQ-MuLan's weights: read from a file without running what is in it, and put where they belong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tada_core.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor


def fill(network: Any, path: Path) -> Any:
    """The network with the weights of a file, in which every one of its parameters must be.

    Raises:
        CheckpointError: the file lacks a parameter, has one of another shape, or holds more than tensors.
    """
    try:
        absent = network.load_state_dict(read(path), strict=False).missing_keys
    except RuntimeError as error:
        raise CheckpointError(f"'{path}' does not fit MuQ-MuLan: {str(error).splitlines()[-1].strip()}") from error
    own = {name for name, _ in network.named_parameters()}
    if lacking := [name for name in absent if name in own]:
        raise CheckpointError(f"'{path}' lacks {len(lacking)} of MuQ-MuLan's {len(own)} parameters: {lacking[0]}, ...")
    return network


def read(path: Path) -> Mapping[str, Tensor]:
    """Tensors of a .safetensors file, or of a pickle, of which only tensors are read: no code in it is run."""
    import torch

    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        tensors: Mapping[str, Tensor] = load_file(path)
        return tensors
    from pickle import UnpicklingError

    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except UnpicklingError as error:
        raise CheckpointError(f"'{path}' holds more than tensors; take a .safetensors file instead") from error
