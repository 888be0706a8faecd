"""`tada protocol`: the published scores of anyone's curves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from tada_bench.protocol.area import Version
from tada_bench.protocol.measured import measured
from tada_bench.protocol.report import basis, notes, overview
from tada_bench.protocol.roles import columns
from tada_bench.protocol.scores import limits, scores
from tada_bench.protocol.sheet import read
from tada_bench.protocol.written import WRITERS, to_json
from tada_core.errors import SpecError, unknown
from tada_registry.terminal.screen import table


def protocol(
    curves: Annotated[Path, typer.Argument(help="CSV: columns arm, alpha, a preservation, one or more alignments.")],
    preservation: Annotated[
        str | None, typer.Option(help="Column of the distance to strength 0; default lpaps or preservation.")
    ] = None,
    alignment: Annotated[
        list[str] | None, typer.Option(help="Column of a similarity; repeatable; default every other with numbers.")
    ] = None,
    ceiling: Annotated[
        list[str] | None, typer.Option(help="Arm whose largest distance is the cut-off; repeatable, the least counts.")
    ] = None,
    cutoff_pos: Annotated[float | None, typer.Option(help="Fixed cut-off of positive strengths.")] = None,
    cutoff_neg: Annotated[float | None, typer.Option(help="Fixed cut-off of negative strengths.")] = None,
    definition: Annotated[str, typer.Option(help="v2, or v1 as in table 3 of the paper.")] = "v2",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list for programs.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the scores: .json, .csv or .md.")] = None,
) -> None:
    """Score the curves of one concept: area up to the cut-off and smoothness of every arm."""
    if out is not None and out.suffix not in WRITERS:
        raise SpecError(f"--out writes {', '.join(WRITERS)}, not '{out.name}'")
    version, sheet = _version(definition), read(curves)
    arms = measured(sheet, *columns(sheet, preservation, alignment or ()))
    found = scores(arms, limits(arms, ceiling or (), (cutoff_pos, cutoff_neg)), version)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(WRITERS[out.suffix](found), encoding="utf-8")
    if as_json:
        print(to_json(found), end="")
        return
    table(overview(found), f"scores, definition {version}")
    if sides := basis(found, version):
        print()
        table(sides, "what the areas rest on")
    for note in notes(arms, found):
        print(f"\n{note}")


def _version(definition: str) -> Version:
    versions: tuple[Version, ...] = get_args(Version)
    for version in versions:
        if version == definition:
            return version
    raise unknown("definition", definition, versions, "--definition v2 or v1")
