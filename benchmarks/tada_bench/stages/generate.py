"""Fourth stage: the clips."""

from __future__ import annotations

from collections.abc import Iterable

from tada_bench.plan import Plan, cells
from tada_bench.session import Session
from tada_bench.store.cell import Cell, write_cell
from tada_bench.store.files import disk


def generate(session: Session, plan: Plan) -> None:
    """Make what is missing, cell by cell."""
    wanted = set(plan.rows)
    session.ticker.total = session.ticker.done + len(wanted)
    session.ticker.finish(len(wanted & set(session.store.clips)), "found in the store")
    make(session, cells(plan, session.store.clips.keys(), session.model.defaults.batch))


def make(session: Session, wanted: Iterable[Cell]) -> None:
    """Make cells; one that fails is listed and the next one is made."""
    for cell in wanted:
        with session.kept(cell.id, cell.label):
            make_cell(session, cell)
        session.ticker.finish(len(cell.rows), cell.label)


def make_cell(session: Session, cell: Cell) -> None:
    """Make the clips of a cell and keep them."""
    rows = list(cell.rows.values())
    clips = session.tools.run(session.model, rows, progress=lambda done, _: session.ticker.at(done, cell.label))
    folder = session.store.path("cells", cell.id)
    with disk(session.store.folder):
        write_cell(folder, cell, [clip.audio for clip in clips])
    session.store.clips.update({identity: folder / f"row-{identity}.flac" for identity in cell.rows})
