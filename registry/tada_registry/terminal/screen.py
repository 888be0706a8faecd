"""What is printed: tables for a person, or JSON for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def table(rows: Sequence[Mapping[str, Any]], title: str = "") -> None:
    """Print rows of equal keys as a table on stdout; floats with three decimals."""
    from rich.console import Console
    from rich.table import Column, Table

    # A name or a path that is broken or cut cannot be used: names stay whole, paths go on below.
    columns = (Column(key, overflow="fold", no_wrap=key == "name") for key in rows[0])
    drawn = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False)
    for row in rows:
        drawn.add_row(*(_cell(value) for value in row.values()))
    Console().print(drawn)


def _cell(value: Any) -> str:
    from rich.markup import escape

    return f"{value:.3f}" if isinstance(value, float) else escape(str(value))
