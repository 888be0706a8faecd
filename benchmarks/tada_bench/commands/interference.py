"""`tada interference`: how fitted artefacts disturb each other."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import tada_registry as tada
from tada_core.interference.table import PARTS
from tada_core.progress import bar
from tada_registry.terminal.model import Load, On, Source
from tada_registry.terminal.options import options
from tada_registry.terminal.screen import AsJson, table

if TYPE_CHECKING:
    from tada_core.interference.interference import Interference

TITLES = {
    "effects": "each artefact alone, read by every concept; shares of the concept's own prompt swap",
    "together": "beside another artefact, in prompt swaps; the gap is to the sum of both alone",
    "cosines": "cosines of their vectors",
}
DASH = "\u2013"


def interference(
    artifacts: Annotated[list[str], typer.Argument(help="Two or more folders or hub ids of artefacts.")],
    on: On = "etude",
    source: Source = None,
    load: Load = None,
    strength: Annotated[list[float] | None, typer.Option(help="One for all, or one each; default 0.5.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of the strengths: norm, raw or dose.")] = None,
    prompts: Annotated[int, typer.Option(min=1, help="Evaluation prompts that all concepts share.")] = 4,
    prompt: Annotated[list[str] | None, typer.Option(help="A base prompt of your own instead; repeatable.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds per prompt.")] = 1,
    readout: Annotated[str, typer.Option(help="Alignment metric that reads the clips.")] = "probes",
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option(help="Folder for interference.json and interference.png.")] = None,
) -> None:
    """Measure how fitted artefacts disturb each other: alone, in pairs, and the directions of their vectors."""
    chosen, metric = [tada.load_artifact(folder) for folder in artifacts], tada.get_metric(readout)
    model = tada.load_model(on, source, **options(load or [], "--load"))
    amounts = strength or [0.5]
    with bar(f"{len(chosen)} artefacts on {on}") as progress:
        found = tada.interference(
            model,
            chosen,
            metric,
            strength=amounts[0] if len(amounts) == 1 else amounts,
            unit=unit,
            prompts=prompt or prompts,
            seeds=tuple(range(seeds)),
            progress=progress,
        )
    if out is not None:
        _write(found, out)
    if as_json:
        print(json.dumps(_data(found), indent=2))
    else:
        _show(found)


def _show(found: Interference) -> None:
    for part, title in TITLES.items():
        table(
            [{key: DASH if _undefined(value) else value for key, value in row.items()} for row in found.table(part)],
            title,
        )
        print()


def _data(found: Interference) -> dict[str, Any]:
    """What a program wants of it; the scores behind it are in the file that --out writes."""
    named = {key: getattr(found, key) for key in ("model", "readout", "template", "names", "prompts", "seeds")}
    # JSON has no NaN.
    parts = {
        part: [{key: None if _undefined(value) else value for key, value in row.items()} for row in found.table(part)]
        for part in PARTS
    }
    return {**named, **parts}


def _undefined(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _write(found: Interference, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / "interference.json").write_text(found.to_json() + "\n")
    found.plot(out / "interference.png")
