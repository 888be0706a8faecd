"""A CSV file of anyone's numbers: named columns of text, and the line that each row came from."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from math import isfinite
from pathlib import Path

from attrs import frozen

from tada_core.errors import SpecError

DELIMITERS = ",;\t"
Rows = list[tuple[int, list[str]]]


@frozen
class Sheet:
    """The cells of a CSV file, without the spaces around them.

    Attributes:
        path: where it came from, for errors.
        columns: cells by the name in the header, in the file's order; columns without a name are left out.
        lines: the line of each row in the file, counted from 1.
    """

    path: Path
    columns: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]

    def column(self, name: str) -> tuple[str, ...]:
        """The cells of a column, one per row.

        Raises:
            SpecError: there is no such column.
        """
        if name not in self.columns:
            raise SpecError(f"{self.path} has no column '{name}'; its columns are {', '.join(self.columns)}")
        return self.columns[name]

    def numbers(self, name: str) -> tuple[float, ...]:
        """The cells of a column as finite numbers.

        Raises:
            SpecError: there is no such column, or a cell is empty or no finite number.
        """
        return tuple(self._number(name, *place) for place in zip(self.lines, self.column(name), strict=True))

    def _number(self, name: str, line: int, cell: str) -> float:
        value = number(cell)
        if value is None or not isfinite(value):
            what = f"holds '{cell}', which is no finite number" if cell else "is empty"
            raise SpecError(
                f"{self.path}, line {line}: column '{name}' {what}; write numbers such as 0.5, "
                "or say with --preservation and --alignment which columns to read"
            )
        return value


def number(cell: str) -> float | None:
    """The number a cell holds, nan and inf among them; None where it holds none."""
    try:
        return float(cell)
    except ValueError:
        return None


def read(path: Path) -> Sheet:
    """Read a CSV file in UTF-8 with a header; comma, semicolon or tab between cells, whichever the header has most of.

    Raises:
        OSError: the file cannot be opened.
        SpecError: it is no text in UTF-8 or no CSV, has no rows, a row of another length, or two columns of one name.
    """
    try:
        (_, header), *rows = _rows(path.read_text(encoding="utf-8-sig")) or [(0, [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise SpecError(f"{path} is no CSV file in UTF-8: {error}") from error
    _check(path, header, rows)
    columns = {name: tuple(cells[place] for _, cells in rows) for place, name in enumerate(header) if name}
    return Sheet(path, columns, tuple(line for line, _ in rows))


def _rows(text: str) -> Rows:
    head = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(DELIMITERS, key=lambda sign: len(next(csv.reader([head], delimiter=sign), [])))
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    return [(reader.line_num, cells) for row in reader if any(cells := [cell.strip() for cell in row])]


def _check(path: Path, header: list[str], rows: Rows) -> None:
    if not rows:
        what = f"has no rows below its header {', '.join(header)}" if header else "is empty"
        raise SpecError(f"{path} {what}; it needs columns arm, alpha, a preservation and an alignment, and rows")
    if twice := [name for name in dict.fromkeys(header) if name and header.count(name) > 1]:
        raise SpecError(f"{path} has two columns '{twice[0]}'; rename one of {', '.join(header)}")
    for line, cells in rows:
        if len(cells) != len(header):
            raise SpecError(
                f"{path}, line {line}: {len(cells)} cells, but the header has {len(header)} ({', '.join(header)}); "
                "quote cells that hold the delimiter, and write decimals with a point"
            )
