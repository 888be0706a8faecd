"""A cell: a few clips of one batch in one folder, and the scores of these clips."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from tada_bench.store.files import new_folder, write_json
from tada_core.audio import Audio
from tada_core.errors import StoreError
from tada_core.generation import Row
from tada_core.serial import to_dict

ROWS, DONE, SCORES = "rows.json", "DONE", "scores"


@frozen
class Cell:
    """Rows to make in one batch.

    Attributes:
        label: where it belongs (concept, arm, prompt, seed), for people: progress and failures.
        rows: by identity, in the order of the batch.
    """

    label: str
    rows: Mapping[str, Row]

    @property
    def id(self) -> str:
        """Names the folder: a hash of the identities it holds."""
        return hashlib.sha256(" ".join(self.rows).encode()).hexdigest()[:20]


def write_cell(folder: Path, cell: Cell, clips: Sequence[Audio]) -> None:
    """Write the clips as FLAC of 16 bits, then what they are, then the marker; rename the folder once."""
    with new_folder(folder) as temporary:
        rows = []
        for (identity, row), audio in zip(cell.rows.items(), clips, strict=True):
            path = audio.save(temporary / f"row-{identity}.flac")
            rows.append({"identity": identity, "file": path.name, "sha256": _digest(path), "row": to_dict(row)})
        write_json(temporary / ROWS, {"cell": cell.id, "rows": rows})
        (temporary / DONE).touch()


def read_cell(folder: Path) -> dict[str, Path]:
    """The clips of a finished cell by identity, every file compared with its digest.

    Raises:
        StoreError: the marker, the list or a clip is missing or damaged.
    """
    if not (folder / DONE).is_file():
        raise StoreError(f"{folder} has no marker {DONE}")
    try:
        rows = json.loads((folder / ROWS).read_text())["rows"]
        files = {str(row["identity"]): (folder / row["file"], row["sha256"]) for row in rows}
        for path, expected in files.values():
            if _digest(path) != expected:
                raise StoreError(f"{path} is not the clip that was written")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"{folder} cannot be read: {error!r}") from error
    return {identity: path for identity, (path, _) in files.items()}


def write_scores(folder: Path, name: str, against: str, scores: Mapping[str, float]) -> None:
    """Keep one metric's scores of a cell, by identity.

    Args:
        name: the metric, and after an @ the concept it was measured against.
        against: digest of what it was measured against; another digest makes the scores stale.
    """
    write_json(folder / SCORES / f"{name}.json", {"against": against, "scores": dict(scores)})


def read_scores(folder: Path, name: str, against: str | None = None) -> dict[str, float] | None:
    """One metric's scores by identity; None where there are none, or stale ones.

    Raises:
        StoreError: the file is damaged.
    """
    path = folder / SCORES / f"{name}.json"
    try:
        data: dict[str, Any] = json.loads(path.read_text())
        if against is not None and data["against"] != against:
            return None
        return {str(key): float(value) for key, value in data["scores"].items()}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path} cannot be read: {error!r}") from error


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
