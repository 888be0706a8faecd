"""A progress bar for whoever waits at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[int, int], None]
"""Called with (done, total)."""


@contextmanager
def bar(label: str) -> Iterator[Progress]:
    """A progress bar on stderr, gone when done; gives a function of (done, total).

    Nothing is drawn where stderr is no terminal.
    """
    from rich import progress as rich
    from rich.console import Console

    console = Console(stderr=True)
    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.MofNCompleteColumn())
    shown = rich.Progress(
        *columns, rich.TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal
    )
    with shown:
        task = shown.add_task(label, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
