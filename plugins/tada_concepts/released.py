"""The counterfactual captions that TADA's authors released, for a user who has the file.

The data set "patching-music-musiccaps-prompts" has a row for every pair, with the columns `original_feature` (violin),
`clean_prompt` and `corrupted_prompt`.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tada_concepts.published import PUBLISHED
from tada_core.errors import SpecError
from tada_core.localization.pair import Pair, write_pairs

COLUMNS: Final = ("original_feature", "clean_prompt", "corrupted_prompt")

NAMES: Final = {keywords.concept.split("-to-")[0]: keywords.concept for keywords in PUBLISHED}
"""Feature -> the concept that localises it: violin -> violin-to-trumpet."""


def read_released(path: str | Path) -> dict[str, list[Pair]]:
    """The pairs by concept, or by feature where no concept localises it; rows whose prompts are the same are left out.

    Args:
        path: .csv with a head, .json with a list of objects, or .jsonl with one a line.

    Raises:
        SpecError: the file is missing, of another kind or damaged, or lacks a column.
    """
    path, found = Path(path), defaultdict[str, list[Pair]](list)
    try:
        for row in _rows(path):
            feature, clean, corrupted = (str(row[name] or "").strip() for name in COLUMNS)
            if clean != corrupted:
                found[NAMES.get(feature, feature)].append(Pair(clean, corrupted))
    except KeyError as error:
        raise SpecError(f"'{path}' has no column {error}; it needs {', '.join(COLUMNS)}") from error
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise SpecError(f"cannot read captions from '{path}': {error}") from error
    return dict(found)


def write_released(path: str | Path, folder: str | Path) -> list[Path]:
    """CONCEPT.json for every concept of the released file, as `tada bench --captions` reads it; raises as above."""
    return [write_pairs(pairs, Path(folder) / f"{name}.json") for name, pairs in read_released(path).items()]


def _rows(path: Path) -> Iterable[Mapping[str, Any]]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".csv":
        return csv.DictReader(text.splitlines(keepends=True))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if path.suffix == ".json":
        rows: list[Mapping[str, Any]] = json.loads(text)
        return rows
    raise SpecError(f"the released captions are read from .csv, .json or .jsonl, not from '{path}'")
