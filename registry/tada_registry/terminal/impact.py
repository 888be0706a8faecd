"""Layer maps at the terminal: what they are made of, and how they are printed and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tada_core.errors import SpecError
from tada_registry.terminal.screen import table

if TYPE_CHECKING:
    from tada_core.localization.agreement import Agreement
    from tada_core.localization.impact import Impact

ENDINGS = (".json", ".png", ".svg", ".pdf")

Out = Annotated[Path | None, typer.Option(help="Also write a .json, or a figure (.png, .svg, .pdf).")]
Base = Annotated[str, typer.Option(help="Prompt the layers are patched into: neutral or opposite.")]
Seeds = Annotated[int, typer.Option(min=1, help="Seeds per prompt.")]
PairsFile = Annotated[
    Path | None, typer.Option(help="Counterfactual captions to use instead, from `tada counterfactuals --out`.")
]


def check_out(out: Path | None) -> None:
    """Refuse a file that could not be written in the end.

    Raises:
        SpecError: it has another ending.
    """
    if out is not None and out.suffix not in ENDINGS:
        raise SpecError(f"--out writes {', '.join(ENDINGS)}, not '{out.name}'")


def read_impact(path: Path) -> Impact:
    """A map that `--out` wrote as .json.

    Raises:
        SpecError: it cannot be read, or is something else.
    """
    from tada_core.localization.impact import Impact

    try:
        return Impact.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError(f"cannot read the map {path}: {error}") from error


def show(impact: Impact, title: str, as_json: bool, out: Path | None, found: Agreement | None = None) -> None:
    """Print a map, as a table or as JSON, and how well a cheaper one agreed with it; write it where `out` says."""
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".json":
            out.write_text(impact.to_json() + "\n")
        else:
            impact.plot(out)
    if as_json:
        extra = {} if found is None else {"agreement": json.loads(found.to_json())}
        print(json.dumps({**summary(impact), **extra}, indent=2))
    else:
        table(impact.table(), title)
        if found is not None:
            table(found.table(), "agreement of the cheaper map")


def summary(impact: Impact) -> dict[str, Any]:
    """What a program wants of it; the scores behind it are in the file that --out writes."""
    # JSON has no NaN; an impact is not a number where swapping the whole prompt changes nothing.
    rows = [{key: None if value != value else value for key, value in row.items()} for row in impact.table()]
    names = ("model", "concept", "readout", "base", "slot", "mode", "generations", "effect")
    whole = all("layer" in row for row in rows)
    return {**{key: getattr(impact, key) for key in names}, "layers" if whole else "parts": rows}
