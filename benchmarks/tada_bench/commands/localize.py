"""`tada localize`: how much of a concept each layer carries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import tada_registry as tada
from tada_core.errors import SpecError
from tada_core.progress import bar
from tada_registry.terminal.impact import Base, Out, PairsFile, Seeds, check_out, read_impact, show
from tada_registry.terminal.model import ConceptName, Load, On, Source
from tada_registry.terminal.options import options
from tada_registry.terminal.screen import AsJson

if TYPE_CHECKING:
    from tada_core.adapter import ModelAdapter
    from tada_core.localization.part import Part


def localize(
    concept: ConceptName,
    on: On = "etude",
    source: Source = None,
    load: Load = None,
    pairs: Annotated[int, typer.Option(min=1, help="Base prompts; with --screen at most.")] = 4,
    pairs_file: PairsFile = None,
    seeds: Seeds = 2,
    base: Base = "neutral",
    slot: Annotated[str | None, typer.Option(help="What is patched: text (default), k, v or out.")] = None,
    mode: Annotated[str, typer.Option(help="denoising, noising or ablation.")] = "denoising",
    couples: Annotated[bool, typer.Option("--couples", help="Every pair of layers instead of every layer.")] = False,
    stages: Annotated[
        int | None, typer.Option(min=1, help="All layers in this many windows of the trajectory instead.")
    ] = None,
    screen: Annotated[bool, typer.Option("--screen", help="Leave out early what is not among the best.")] = False,
    top: Annotated[int, typer.Option(min=1, help="With --screen or --check: how many layers.")] = 2,
    check: Annotated[
        Path | None, typer.Option(help="Check a cheaper map (.json): its --top best layers, and --random others.")
    ] = None,
    random: Annotated[int, typer.Option(min=0, help="With --check: how many other layers.")] = 3,
    readout: Annotated[str, typer.Option(help="Alignment metric that reads the clips.")] = "probes",
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Measure how much of a concept each layer carries, by patching the concept's prompt into one layer at a time."""
    from tada_core.localization.agreement import agreement, spots
    from tada_core.localization.pair import read_pairs
    from tada_core.localization.screening import screen as screened

    check_out(out)
    how: dict[str, Any] = {"base": base, "slot": slot, "mode": mode, "seeds": tuple(range(seeds))}
    captions = None if pairs_file is None else read_pairs(pairs_file)
    how |= {"most": pairs, "pairs": captions, "top": top} if screen else {"pairs": captions or pairs}
    idea, metric = tada.get_concept(concept), tada.get_metric(readout)
    model = tada.load_model(on, source, **options(load or [], "--load"))
    cheap = None if check is None else read_impact(check)
    parts = _parts(model, couples, stages) if cheap is None else spots(cheap, top, random)
    with bar(f"{concept} on {on}") as progress:
        find = screened if screen else tada.localize
        impact = find(model, idea, metric, parts=parts, progress=progress, **how)
    said = f"{concept} on {on}, base {impact.base}, readout {readout}, {mode} of {impact.slot}"
    found = None if cheap is None else agreement(cheap, impact, top)
    show(impact, f"{said}, {impact.generations} clips", as_json, out, found)


def _parts(model: ModelAdapter, couples: bool, stages: int | None) -> tuple[Part, ...] | None:
    from tada_core.localization import part

    if couples and stages is not None:
        raise SpecError("--couples and --stages say two things; leave out one of them")
    layers = model.pick(None)
    if couples:
        return part.couples(layers)
    return None if stages is None else part.stages(stages, layers)
