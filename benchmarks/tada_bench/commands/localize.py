"""`tada localize`: how much of a concept each layer carries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import tada_registry as tada
from tada_core.errors import SpecError
from tada_core.progress import bar
from tada_registry.terminal.model import Load, On, Source
from tada_registry.terminal.options import options
from tada_registry.terminal.screen import table

if TYPE_CHECKING:
    from tada_core.impact import Impact

FIGURES = (".png", ".svg", ".pdf")


def localize(
    concept: Annotated[str, typer.Argument(help="A registered concept, such as tempo.")],
    on: On = "etude",
    source: Source = None,
    load: Load = None,
    pairs: Annotated[int, typer.Option(min=1, help="Base prompts.")] = 4,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds per prompt.")] = 2,
    base: Annotated[str, typer.Option(help="Prompt the layers are patched into: neutral or opposite.")] = "neutral",
    readout: Annotated[str, typer.Option(help="Alignment metric that reads the clips.")] = "probes",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    out: Annotated[Path | None, typer.Option(help="Also write a .json, or a figure (.png, .svg, .pdf).")] = None,
) -> None:
    """Measure how much of a concept each layer carries, by patching the concept's prompt into one layer at a time."""
    if out is not None and out.suffix not in (".json", *FIGURES):
        raise SpecError(f"--out writes {', '.join(('.json', *FIGURES))}, not '{out.name}'")
    idea, metric = tada.get_concept(concept), tada.get_metric(readout)
    model = tada.load_model(on, source, **options(load or [], "--load"))
    with bar(f"{concept} on {on}") as progress:
        impact = tada.localize(
            model, idea, metric, base=base, pairs=pairs, seeds=tuple(range(seeds)), progress=progress
        )
    if out is not None:
        _write(impact, out)
    if as_json:
        print(json.dumps(_data(impact), indent=2))
    else:
        table(impact.table(), f"{concept} on {on}, base {base}, readout {readout}")


def _data(impact: Impact) -> dict[str, Any]:
    """What a program wants of it; the scores behind it are in the file that --out writes."""
    # JSON has no NaN; an impact is not a number where swapping the whole prompt changes nothing.
    rows = [{key: None if value != value else value for key, value in row.items()} for row in impact.table()]
    named = {key: getattr(impact, key) for key in ("model", "concept", "readout", "base", "effect")}
    return {**named, "layers": rows}


def _write(impact: Impact, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    if out.suffix == ".json":
        out.write_text(impact.to_json() + "\n")
    else:
        impact.plot(out)
