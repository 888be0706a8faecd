"""`tada attribute`: layers of a concept, from gradients."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import tada_registry as tada
from tada_core.progress import bar
from tada_registry.terminal.impact import Base, Out, PairsFile, Seeds, check_out, show
from tada_registry.terminal.model import ConceptName, Load, On, Source
from tada_registry.terminal.options import options
from tada_registry.terminal.screen import AsJson


def attribute(
    concept: ConceptName,
    on: On = "etude",
    source: Source = None,
    load: Load = None,
    pairs: Annotated[int, typer.Option(min=1, help="Base prompts.")] = 4,
    pairs_file: PairsFile = None,
    seeds: Seeds = 1,
    states: Annotated[int, typer.Option(min=1, help="States of every run, evenly spaced; 1 is its middle.")] = 1,
    base: Base = "neutral",
    as_json: AsJson = False,
    out: Out = None,
) -> None:
    """Estimate how much of a concept each layer carries, from gradients; confirm the best ones with `tada localize`."""
    from tada_attribution.attribution import attribute as attributed
    from tada_core.localization.pair import read_pairs

    check_out(out)
    cases: Any = pairs if pairs_file is None else read_pairs(pairs_file)
    idea = tada.get_concept(concept)
    model = tada.load_model(on, source, **options(load or [], "--load"))
    with bar(f"{concept} on {on}") as progress:
        how: dict[str, Any] = {"base": base, "pairs": cases, "states": states}
        impact = attributed(model, idea, seeds=tuple(range(seeds)), progress=progress, **how)
    show(impact, f"{concept} on {on}, base {impact.base}, by gradients, worth {impact.generations} clips", as_json, out)
