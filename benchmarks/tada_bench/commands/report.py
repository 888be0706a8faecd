"""`tada report`: write the page of a benchmark from its store, without generating anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from attrs import asdict

from tada_bench.page.build import report as write_report
from tada_bench.tables.text import plain
from tada_bench.verdicts import summaries
from tada_core.progress import bar
from tada_registry.terminal.screen import AsJson


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a benchmark's results, such as tada-results/default.")],
    as_json: AsJson = False,
) -> None:
    """Write the page of a benchmark again: report/index.html, its clips, tables and figures."""
    show(folder, as_json)


def show(folder: Path, as_json: bool) -> None:
    """Write the page and print the tables, the page's path last; with `as_json` one JSON object."""
    with bar("writing the page") as progress:
        made = write_report(folder, progress)
    if as_json:
        found = {name: [asdict(one) for one in getattr(made, name)] for name in ("results", "comparisons")}
        print(json.dumps({"page": str(made.page), **found, "failures": made.failures}, indent=2))
        return
    for metric in dict.fromkeys(result.metric for result in made.results):
        print(f"\n{metric}")
        print(plain([result for result in made.results if result.metric == metric]))
        for said in summaries((one for one in made.comparisons if one.metric == metric), made.ceiling):
            print(said)
    for failure in made.failures:
        print(f"\nfailed: {failure['label']}: {failure['error']}")
    print(f"\n{made.page}")
