"""Scores as files: JSON, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence

from tada_bench.protocol.report import cell
from tada_bench.protocol.scores import Score


def to_json(scores: Sequence[Score]) -> str:
    """A JSON list of one object per arm and alignment; an undefined number is null."""
    return json.dumps([score.row() for score in scores], indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(scores: Sequence[Score]) -> str:
    """The same in CSV, in full precision; an undefined number is an empty cell."""
    text, rows = io.StringIO(), [score.row() for score in scores]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_markdown(scores: Sequence[Score]) -> str:
    """The same in Markdown, with three significant digits; an undefined number is n/a."""
    rows = [score.row() for score in scores]
    cells = [[cell(value).replace("|", r"\|") for value in row.values()] for row in rows]
    lines = [list(rows[0]), ["---" for _ in rows[0]], *cells]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


WRITERS: dict[str, Callable[[Sequence[Score]], str]] = {".json": to_json, ".csv": to_csv, ".md": to_markdown}
