"""Where the weights are, whether they are the published ones, and what is in the file; no pickle is executed."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tada_core.errors import CheckpointError
from tada_core.weights import find_weights

if TYPE_CHECKING:
    from torch import Tensor

REPOSITORY: Final = "lukewys/laion_clap"
FILE: Final = "music_audioset_epoch_15_esc_90.14.pt"
SHA256: Final = "fae3e9c087f2909c28a09dc31c8dfcdacbc42ba44c70e972b58c1bd1caf6dedd"
"""Of the published file, 2 352 471 003 bytes."""
VARIABLE: Final = "TADA_CLAP"
REMEDY: Final = (
    f"get {FILE} from https://huggingface.co/{REPOSITORY}, and name it in the option `weights` or {VARIABLE}"
)


def find(source: str, checksum: str) -> Path:
    """The file: `source` itself, or the published name in that folder or hub repository.

    Args:
        source: a path or hub id.
        checksum: SHA-256 it must have, or "": then the published one where the source is the published repository.

    Raises:
        CheckpointError: nothing there, or a file with another checksum.
    """
    return find_weights(source, (FILE,), checksum or (SHA256 if source == REPOSITORY else ""), REMEDY)


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a file in laion-clap's names: a PyTorch file or safetensors; training state is left in the file.

    Raises:
        CheckpointError: the file is damaged, or holds other objects than tensors and numbers (none is executed).
    """
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        tensors: dict[str, Tensor] = load_file(path)
        return tensors
    held = _unpickle(path)
    state = held.get("state_dict", held) if isinstance(held, dict) else {}
    if not state or not all(hasattr(value, "shape") for value in state.values()):
        raise CheckpointError(f"'{path}' holds no state dict of a CLAP; {REMEDY}")
    return dict(state)


def _unpickle(path: Path) -> Any:
    import numpy as np
    import torch

    # Beside the weights the published file has a NumPy scalar, which NumPy 1 and 2 make under different names.
    scalar: Any = np.float64(0).__reduce__()[0]
    names = [f"numpy.{core}.multiarray.scalar" for core in ("core", "_core")]
    allowed: list[Any] = [*((scalar, name) for name in names), np.dtype, type(np.dtype("float64"))]
    try:
        with torch.serialization.safe_globals(allowed):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        reason = str(error).strip().split("\n")[0]
        raise CheckpointError(f"'{path}' cannot be read without executing what is in it: {reason}; {REMEDY}") from error
