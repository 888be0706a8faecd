"""`tada bench`: run a suite and write its page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from attrs import evolve

import tada_registry as tada
from tada_bench.adapt import adapted
from tada_bench.commands.report import show
from tada_bench.run import run_suite
from tada_bench.session import Progress
from tada_bench.suite import Suite
from tada_core.errors import SpecError
from tada_registry.terminal.model import Load, Source
from tada_registry.terminal.options import options
from tada_registry.terminal.screen import AsJson


def bench(
    suite: Annotated[str, typer.Argument(help="A registered suite, or a suite's JSON file.")] = "default",
    on: Annotated[str | None, typer.Option("--on", help="Another model than the suite's.")] = None,
    source: Source = None,
    load: Load = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Evaluation prompts per concept.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Clips per prompt.")] = None,
    even: Annotated[
        int | None, typer.Option(min=1, help="Find so many strengths a side, evenly spaced in what they change.")
    ] = None,
    captions: Annotated[
        Path | None, typer.Option(help="Folder of counterfactual captions to localise on, CONCEPT.json each.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the results; default tada-results/SUITE.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a benchmark suite, or go on with one that was interrupted, and write its page.

    First it says what that costs: clips, then time and room as the first batch tells.
    """
    found = find(suite)
    asked, changes = adapted(found, on or found.model)
    asked = asked.resized(prompts=limit, seeds=seeds)
    if even is not None:
        asked = asked.evenly(even)
    if captions is not None:
        asked = captioned(asked, captions)
    folder = out or Path("tada-results") / asked.name

    def announce(line: str) -> None:
        print(f"{asked.name} on {asked.model}: {line}", file=sys.stderr, flush=True)

    for change in changes:
        announce(change)
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


def captioned(suite: Suite, folder: Path) -> Suite:
    """The suite localised on counterfactual captions.

    Raises:
        SpecError: it does not localise.
    """
    if suite.localization is None or suite.localization.known:
        raise SpecError(f"suite '{suite.name}' localises nothing, so that it needs no captions; leave out --captions")
    return evolve(suite, localization=evolve(suite.localization, captions=str(folder)))


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
