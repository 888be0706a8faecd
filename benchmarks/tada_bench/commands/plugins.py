"""`tada plugins`: everything that is registered, and what is wrong."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tada_core.entry import KINDS
from tada_registry import records

COLUMNS = ("kind", "name", "plugin", "distribution", "summary")


def plugins(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list for programs.")] = False,
) -> None:
    """List models, methods, metrics, concepts, suites and commands, and what is wrong with any of them."""
    rows = [record.row() for record in records()]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    from tada_registry.terminal.screen import table

    # Sorting is stable: within a kind the order of discovery stays, our own plugins first.
    rows.sort(key=lambda row: [*KINDS, "plugin"].index(str(row["kind"])))
    table([{key: row[key] for key in COLUMNS} for row in rows])
    wanting: dict[str, list[str]] = {}
    for row in rows:
        need = str(row["problem"]).partition(" needs ")[2]
        if row["extra"] and not row["installed"] and need:
            wanting.setdefault(need, []).append(str(row["name"]))
        elif row["problem"]:
            print(f"\nproblem: {row['kind']} '{row['name']}' of {row['distribution']}: {row['problem']}")
    for need, names in wanting.items():
        print(f"\nnot installed: {', '.join(names)}; needs {need}")
