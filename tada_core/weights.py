"""Files of weights: a local path, or a file of a hub repository, told from others by its SHA-256."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from tada_core.errors import CheckpointError

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


def find_weights(source: str | Path, names: Sequence[str], checksum: str = "", remedy: str = "") -> Path:
    """The file of weights that `source` names.

    Args:
        source: a file, a folder that holds one of `names`, or the id (owner/name) of a hub repository that does.
        names: file names, the best first.
        checksum: SHA-256 the file must have, in hexadecimal; "" takes any.
        remedy: what to do where nothing is found.

    Raises:
        CheckpointError: nothing there, or a file with another checksum.
    """
    found, reason = _look(Path(source).expanduser(), str(source), names)
    if found is None:
        tail = "".join(f"; {part}" for part in (reason, remedy) if part)
        raise CheckpointError(f"no {' or '.join(names)} at '{source}'{tail}")
    if checksum and (actual := sha256(found)) != checksum.lower():
        raise CheckpointError(
            f"'{found}' has the SHA-256 {actual}, not {checksum}; download it again, or name this one"
        )
    return found


def find_beside(path: Path, source: str | Path, name: str) -> Path:
    """Another file of the checkpoint that `path` is of: in its folder, or from the same hub repository.

    Args:
        path: what `find_weights` found.
        source: where it looked.
        name: the other file.

    Raises:
        CheckpointError: there is none.
    """
    if (near := path.with_name(name)).is_file():
        return near
    if Path(source).expanduser().exists():
        raise CheckpointError(f"'{path}' needs the {name} that was published with it; put that into '{path.parent}'")
    return find_weights(source, (name,))


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _look(path: Path, source: str, names: Sequence[str]) -> tuple[Path | None, str]:
    """The file, or None and a reason."""
    if path.is_file():
        return path, ""
    if path.is_dir() or not _HUB_ID.fullmatch(source):
        return next((path / name for name in names if (path / name).is_file()), None), ""
    return _download(source, names)


def _download(source: str, names: Sequence[str]) -> tuple[Path | None, str]:
    from huggingface_hub import hf_hub_download

    reason = ""
    for name in names:
        try:
            return Path(hf_hub_download(source, name)), ""
        # Whatever the hub's reason, the next name may be there; the last reason is told.
        except Exception as error:
            reason = f"the hub says: {str(error).strip().splitlines()[0]}"
    return None, reason
