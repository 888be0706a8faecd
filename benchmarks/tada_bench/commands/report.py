"""`tada report`: write the page of a benchmark from its store, without generating anything."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from attrs import AttrsInstance, asdict

from tada_bench.page.build import report as write_report
from tada_bench.tables.layout import layout
from tada_bench.tables.text import plain
from tada_bench.tables.together import HEAD, rows
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
    found = made.findings
    if as_json:
        every: dict[str, Iterable[AttrsInstance]] = {
            "results": found.results,
            "overall": found.arms,
            "comparisons": found.comparisons,
        }
        values = {name: [asdict(one) for one in own] for name, own in every.items()}
        print(json.dumps({"page": str(made.page), **values, "failures": made.failures}, indent=2))
        return
    for metric in found.metrics:
        own = found.of(metric)
        print(f"\n{metric}")
        print(plain(*layout(own.results)))
        for overall in own.overall.values():
            print(f"\n{metric}, all concepts together: shares of the AUC avg of {found.ceiling}")
            print(plain(HEAD, rows(overall)))
        print()
        for said in summaries(own.comparisons, found.ceiling):
            print(said)
    for failure in made.failures:
        print(f"\nfailed: {failure['label']}: {failure['error']}")
    print(f"\n{made.page}")
