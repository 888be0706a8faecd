"""Captions: the project's own, and files of them (MusicCaps' csv among others)."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tada_core.errors import SpecError, nearest, unknown

OWN: Final = {
    "music": "Descriptions of music, a sentence or two each.",
    "etude": "Short ones, in lower case and in the words that etude was trained on.",
}
"""Name -> what is in the project's own captions of that name. Written for this project."""

COLUMNS: Final = ("caption", "text", "prompt")
"""Names that the captions' column is looked for under, in this order."""


def own_captions(name: str = "music") -> list[str]:
    """The project's own captions.

    Raises:
        UnknownNameError: there are none of that name.
    """
    if name not in OWN:
        raise unknown("captions", name, OWN)
    return read_captions(Path(__file__).with_name("texts") / f"{name}.txt")


def read_captions(path: str | Path, column: str | None = None) -> list[str]:
    """Captions from a file, without empty ones.

    Args:
        path: .txt with one a line, .csv with a head, .json with a list or .jsonl with a value a line, of texts or of
            objects.
        column: column or key of the captions; None takes the first of "caption", "text" and "prompt" that is there.

    Raises:
        SpecError: the file is missing, of another kind or damaged, holds no captions, or has no such column.
    """
    path = Path(path)
    if path.suffix.lower() not in _READERS:
        kinds, own = ", ".join(_READERS), " or ".join(OWN)
        raise SpecError(f"captions are read from {kinds}, or are the project's own ({own}); not '{path}'")
    try:
        rows = _READERS[path.suffix.lower()](path)
        captions = [_caption(row, column).strip() for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        raise SpecError(f"cannot read captions from '{path}': {error}") from error
    except SpecError as error:
        raise SpecError(f"'{path}': {error}") from error
    if not any(captions):
        raise SpecError(f"'{path}' holds no captions")
    return [caption for caption in captions if caption]


def _caption(row: object, column: str | None) -> str:
    if isinstance(row, str):
        return row
    if not isinstance(row, Mapping):
        raise SpecError(f"a caption is a text or an object with the key '{COLUMNS[0]}', not {json.dumps(row)[:40]}")
    names = [name for name in row if isinstance(name, str)]
    wanted = column or next((name for name in COLUMNS if name in names), COLUMNS[0])
    if wanted not in names:
        near = ", ".join(nearest(wanted, names)) or "none"
        raise SpecError(f"no column '{wanted}'; nearest: {near}; choose one with column= or --column")
    if not isinstance(value := row[wanted] or "", str):
        raise SpecError(f"'{wanted}' holds {json.dumps(value)[:40]}, not a text")
    return value


def _lines(path: Path) -> list[Any]:
    return path.read_text(encoding="utf-8-sig").split("\n")


def _table(path: Path) -> Iterable[Any]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _list(path: Path) -> Iterable[Any]:
    data = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(data, list):
        raise SpecError('the captions are no list; write ["...", "..."]')
    return data


def _values(path: Path) -> Iterable[Any]:
    return [json.loads(line) for line in _lines(path) if line.strip()]


_READERS: Final[dict[str, Callable[[Path], Iterable[Any]]]] = {
    ".txt": _lines,
    ".csv": _table,
    ".json": _list,
    ".jsonl": _values,
}
