"""Which clips autoencoders are trained on: prompts of a captions file, or of concepts, on all sides."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tada_core import Concept
from tada_core.errors import SpecError
from tada_sae.pairs import SIDES

CONCEPTS = ("tempo", "brightness", "register", "drums", "mode")
"""Whose prompts are taken where nobody says."""

COLUMNS = ("caption", "prompt", "text")
"""Names of a table's column that are looked for, in this order."""


def captions(path: str | Path, column: str | None = None) -> tuple[str, ...]:
    """The prompts in a file, in its order and each once.

    Args:
        path: .txt with one per line, .csv with a heading, or .json with a list of texts or of objects.
        column: the one that holds the prompts; by default "caption", "prompt" or "text", or the only one.

    Raises:
        SpecError: the file is no such file, or holds no prompts.
    """
    place = Path(path)
    readers = {".txt": _lines, ".csv": _table, ".json": _objects}
    if place.suffix not in readers:
        raise SpecError(f"captions are read from {', '.join(readers)}; not from '{place.name}'")
    try:
        read = readers[place.suffix](place.read_text(encoding="utf-8-sig"), column)
    except ValueError as error:
        raise SpecError(f"cannot read captions from {place}: {error}") from error
    found = tuple(dict.fromkeys(text.strip() for text in read if text.strip()))
    if not found:
        raise SpecError(f"{place} holds no captions; write one per line")
    return found


def of_concepts(concepts: Iterable[Concept]) -> tuple[str, ...]:
    """Every prompt that concepts are fitted on, on all three sides, each once."""
    return tuple(
        dict.fromkeys(
            concept.text(side, prompt) for concept in concepts for prompt in concept.prompts for side in SIDES
        )
    )


def _lines(text: str, column: str | None) -> list[str]:
    if column is not None:
        raise ValueError(f"a text file has no column '{column}'; leave it out")
    return text.splitlines()


def _table(text: str, column: str | None) -> list[str]:
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    return _column(rows, column)


def _objects(text: str, column: str | None) -> list[str]:
    rows = json.loads(text)
    if not isinstance(rows, list):
        raise ValueError("it is no list")
    if all(isinstance(row, str) for row in rows):
        return rows
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError("it must be a list of texts, or of objects")
    return _column(rows, column)


def _column(rows: list[dict[str, Any]], column: str | None) -> list[str]:
    """The texts of one column; a row without it counts as empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    wanted = names[:1] if column is None and len(names) == 1 else [column] if column else COLUMNS
    name = next((one for one in wanted if one in names), None)
    if name is None:
        known = ", ".join(map(str, names)) or "none"
        raise ValueError(f"it has no column {' or '.join(wanted)}; choose one of: {known}")
    return [str(row.get(name) or "") for row in rows]
