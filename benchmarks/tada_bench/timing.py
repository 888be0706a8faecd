"""What a suite will take, from its first batch of clips."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from tada_bench.budget import Budget
from tada_bench.plan import Plan, Point, first_cell
from tada_bench.session import Session
from tada_bench.stages.generate import make_cell
from tada_bench.stages.score import score
from tada_bench.store.cell import Cell
from tada_core.errors import StoreError

UNITS = ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"))
SIZES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"))


@frozen
class Timing:
    """One batch of plain clips.

    Attributes:
        clips: how many.
        seconds: to make all of them together.
        scoring: seconds to measure them by every metric of the suite.
        size: bytes of the average clip on disk.
    """

    clips: int
    seconds: float
    scoring: float
    size: float

    def of(self, clips: Budget) -> str:
        """The time and the room for so many clips, in words."""
        each, scoring = self.seconds / self.clips, self.scoring / self.clips
        way = f"{each:.2g} s a plain clip in a batch of {self.clips}, and {scoring:.2g} s to measure it"
        whole = duration(clips.work * each + clips.evaluate * scoring)
        return f"about {whole} ({way}), {size(clips.evaluate * self.size)} of clips kept"


def timed(session: Session) -> Timing | None:
    """Make, measure and time the first batch of unsteered clips; None where the store has some of them already.

    The run needs these very clips and scores, so that nothing is made for the sake of timing; without arms they are
    thrown away.

    Raises:
        StoreError: the disk is full.
    """
    concept = session.concepts[session.suite.concepts[0]]
    cell = first_cell(session.suite, concept, session.fingerprint, session.model.defaults.batch)
    if cell.rows.keys() & session.store.clips.keys():
        return None
    started = time.perf_counter()
    if session.suite.arms:
        make_cell(session, cell)
        made = time.perf_counter()
        points = (Point(concept.name, "", row.prompt, 0, 0.0, identity) for identity, row in cell.rows.items())
        score(session, Plan(tuple(points), cell.rows))
        files = [session.store.clips[identity] for identity in cell.rows]
        return Timing(len(files), made - started, time.perf_counter() - made, _mean(files))
    return _tried(session, cell)


def _tried(session: Session, cell: Cell) -> Timing:
    started = time.perf_counter()
    clips = session.tools.run(session.model, list(cell.rows.values()))
    seconds = time.perf_counter() - started
    with TemporaryDirectory() as folder:
        return Timing(len(clips), seconds, 0.0, _mean([clips[0].audio.save(Path(folder) / "clip.flac")]))


def _mean(files: list[Path]) -> float:
    return sum(path.stat().st_size for path in files) / len(files)


def told(session: Session, clips: Budget) -> str:
    """What is known of the time and the room; a batch that fails is told here, and again by the run itself."""
    try:
        found = timed(session)
    except StoreError:
        raise
    except Exception as error:
        return f"the time is not known, because the first batch failed: {type(error).__name__}: {error}"
    return "some of it is there already, and is not made again" if found is None else found.of(clips)


def duration(seconds: float) -> str:
    """A duration in the largest unit that it fills."""
    for length, name in UNITS:
        if seconds >= length:
            return f"{seconds / length:.2g} {name}" if seconds < 100 * length else f"{seconds / length:,.0f} {name}"
    return "a second" if seconds < 1.5 else f"{seconds:.0f} seconds"


def size(count: float) -> str:
    """A number of bytes in the largest unit that it fills."""
    for length, name in SIZES:
        if count >= length:
            return f"{count / length:.3g} {name}"
    return f"{count / 1e3:.0f} kB"
