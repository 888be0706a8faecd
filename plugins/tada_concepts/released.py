"""The counterfactual captions that TADA's authors released, for a user who has the file.

The data set "patching-music-musiccaps-prompts" has a row for every pair, with the columns `original_feature` (violin),
`clean_prompt` and `corrupted_prompt`.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Final

from tada_concepts.published import PUBLISHED
from tada_core.captions import read_rows
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
    found = defaultdict[str, list[Pair]](list)
    try:
        for row in read_rows(path):
            feature, clean, corrupted = (str(row[name] or "").strip() for name in COLUMNS)
            if clean != corrupted:
                found[NAMES.get(feature, feature)].append(Pair(clean, corrupted))
    except KeyError as error:
        raise SpecError(f"'{path}' has no column {error}; it needs {', '.join(COLUMNS)}") from error
    except TypeError as error:
        raise SpecError(
            f"'{path}' has no columns; the released captions are read from .csv, .json or .jsonl"
        ) from error
    return dict(found)


def write_released(path: str | Path, folder: str | Path) -> list[Path]:
    """CONCEPT.json for every concept of the released file, as `tada bench --captions` reads it; raises as above."""
    return [write_pairs(pairs, Path(folder) / f"{name}.json") for name, pairs in read_released(path).items()]
