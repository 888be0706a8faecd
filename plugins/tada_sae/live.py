"""How a training is doing, for whoever waits: clips, and the figures of all autoencoders."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from attrs import frozen

from tada_core.progress import Progress
from tada_sae.settings import Spec
from tada_sae.train import Watch
from tada_sae.trainer import Trainer


@frozen
class Live:
    """What `train` is given: see its `progress` and `watch`."""

    progress: Progress
    watch: Watch


def summary(trainers: Mapping[Spec, Trainer]) -> str:
    """Explained variance, dead and dense features of the autoencoders that made a step, as ranges in percent."""
    figures = [one.figures() for one in trainers.values() if one.steps]
    if not figures:
        return "filling the buffer"
    ranges = ((name, [round(100 * getattr(one, name)) for one in figures]) for name in ("explained", "dead", "dense"))
    return ", ".join(f"{name} {_range(values)} %" for name, values in ranges)


def _range(values: list[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


@contextmanager
def live() -> Iterator[Live]:
    """A bar on stderr, gone when done; a line every tenth of the way where stderr is no terminal."""
    from rich import progress as rich
    from rich.console import Console

    console, seen = Console(stderr=True), [""]

    def watch(trainers: Mapping[Spec, Trainer]) -> None:
        seen[0] = summary(trainers)

    if not console.is_terminal:
        yield Live(_lines(lambda: seen[0]), watch)
        return
    columns = (rich.BarColumn(), rich.MofNCompleteColumn(), rich.TextColumn("clips,"))
    left = rich.TimeRemainingColumn(compact=True)
    shown = rich.Progress(*columns, left, rich.TextColumn("left  {task.description}"), console=console, transient=True)
    with shown:
        task = shown.add_task("starting", total=None)
        yield Live(lambda done, all_: shown.update(task, completed=done, total=all_, description=seen[0]), watch)


def _lines(text: Callable[[], str]) -> Progress:
    printed = 0

    def tell(done: int, total: int) -> None:
        nonlocal printed
        if (tenth := 10 * done // max(total, 1)) > printed:
            printed = tenth
            print(f"{done} of {total} clips, {text()}", file=sys.stderr, flush=True)

    return tell
