"""`tada bench`: run a suite and write its page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

import tada_registry as tada
from tada_bench.budget import Budget
from tada_bench.commands.report import show
from tada_bench.run import run_suite
from tada_bench.session import Progress
from tada_bench.suite import Suite
from tada_registry.terminal.model import Load, Source
from tada_registry.terminal.options import options


def bench(
    suite: Annotated[str, typer.Argument(help="A registered suite, or a suite's JSON file.")] = "default",
    on: Annotated[str | None, typer.Option("--on", help="Another model than the suite's.")] = None,
    source: Source = None,
    load: Load = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Evaluation prompts per concept.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Clips per prompt.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the results; default tada-results/SUITE.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Run a benchmark suite, or go on with one that was interrupted, and write its page."""
    asked = find(suite).resized(on, limit, seeds)
    folder = out or Path("tada-results") / asked.name

    def announce(clips: Budget) -> None:
        print(f"{asked.name} on {asked.model}: at most {clips}", file=sys.stderr if as_json else sys.stdout, flush=True)

    with counting() as progress:
        store = run_suite(
            asked,
            folder,
            source=source,
            load=options(load or [], "--load"),
            progress=progress,
            announce=announce,
        )
    show(folder, as_json)
    if failures := store.failures():
        print(f"{len(failures)} pieces of work failed; the same command tries them again", file=sys.stderr)
        raise typer.Exit(1)


def find(name: str) -> Suite:
    """A suite by its registered name, or from a file that ends in .json.

    Raises:
        UnknownNameError, SpecError: there is none, or it is not valid.
    """
    if name.endswith(".json"):
        return Suite.load(name)
    suite: Suite = tada.get_suite(name)
    return suite


@contextmanager
def counting() -> Iterator[Progress]:
    """A bar of clips with the time left on stderr; a line every tenth of the way where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("clips,"), TimeRemainingColumn(compact=True))
    with Bar(*columns, TextColumn("left  {task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda done, total, label: bar.update(task, completed=done, total=total, description=label)


def _lines() -> Progress:
    printed = -1

    def tell(done: int, total: int, label: str) -> None:
        nonlocal printed
        if (tenth := 10 * done // max(total, 1)) > printed:
            printed = tenth
            print(f"{done} of {total} clips, {label}", file=sys.stderr, flush=True)

    return tell
