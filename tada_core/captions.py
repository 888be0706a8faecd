"""Files of captions: MusicCaps' csv, a list in JSON, one a line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tada_core.errors import SpecError, nearest

COLUMNS: Final = ("caption", "text", "prompt")
"""Names that the captions' column is looked for under, in this order."""


def read_captions(path: str | Path, column: str | None = None) -> list[str]:
    """Captions from a file, in its order and without empty ones.

    Args:
        path: as for `read_rows`.
        column: column or key of the captions; None takes the first of `COLUMNS` that a row has, or a file's only one.

    Raises:
        SpecError: as `read_rows`; and the file holds no captions, something else than texts, or no such column.
    """
    rows = read_rows(path)
    try:
        wanted = _wanted(rows, column)
        captions = [_caption(row, wanted).strip() for row in rows]
    except SpecError as error:
        raise SpecError(f"'{path}': {error}") from error
    if not any(captions):
        raise SpecError(f"'{path}' holds no captions; write one a line")
    return [caption for caption in captions if caption]


def read_rows(path: str | Path) -> list[Any]:
    """What a file holds: texts, or objects by the names of their columns.

    Args:
        path: .txt with a text a line, .csv with a head, .json with a list, or .jsonl with a value a line.

    Raises:
        SpecError: the file is missing, of another kind or damaged.
    """
    path = Path(path)
    if (reader := _READERS.get(path.suffix.lower())) is None:
        raise SpecError(f"captions are read from {', '.join(_READERS)}; not from '{path}'")
    try:
        return reader(path)
    except (OSError, ValueError, csv.Error) as error:
        raise SpecError(f"cannot read captions from '{path}': {error}") from error


def _wanted(rows: Sequence[object], column: str | None) -> Sequence[str]:
    """Columns that captions are taken from, the best first; a file of texts has none."""
    heads = dict.fromkeys(name for row in rows if isinstance(row, Mapping) for name in row)
    known = [name for name in heads if isinstance(name, str)]
    wanted = (column,) if column else known if len(known) == 1 else COLUMNS
    if (heads or column) and rows and not set(wanted) & set(known):
        near = ", ".join(nearest(wanted[0], known))
        remedy = f"nearest: {near}; choose one with column= or --column" if near else "it has none; leave the name out"
        raise SpecError(f"no column '{wanted[0]}'; {remedy}")
    return wanted


def _caption(row: object, wanted: Sequence[str]) -> str:
    """The text of a row; one that lacks the column counts as empty."""
    if isinstance(row, Mapping):
        row = next((row[name] for name in wanted if name in row), None) or ""
    if not isinstance(row, str):
        raise SpecError(f"a caption is a text or an object with the key '{COLUMNS[0]}', not {json.dumps(row)[:40]}")
    return row


def _lines(path: Path) -> list[Any]:
    return path.read_text(encoding="utf-8-sig").split("\n")


def _table(path: Path) -> list[Any]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _list(path: Path) -> list[Any]:
    data = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(data, list):
        raise ValueError('it is no list; write ["...", "..."]')
    return data


def _values(path: Path) -> list[Any]:
    return [json.loads(line) for line in _lines(path) if line.strip()]


_READERS: Final[dict[str, Callable[[Path], list[Any]]]] = {
    ".txt": _lines,
    ".csv": _table,
    ".json": _list,
    ".jsonl": _values,
}
