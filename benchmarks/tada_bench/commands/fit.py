"""`tada fit`: fit a steering method to a concept and save the artefact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import tada_registry as tada
from tada_core.progress import bar
from tada_registry.terminal.model import ConceptName, Load, On, Source
from tada_registry.terminal.numbers import layers as layer_list
from tada_registry.terminal.numbers import numbers
from tada_registry.terminal.options import options


def fit(
    method: Annotated[str, typer.Argument(help="A registered method, such as caa.")],
    concept: ConceptName,
    out: Annotated[Path, typer.Option(help="Folder to save the artefact in.")],
    on: On = "etude",
    source: Source = None,
    load: Load = None,
    layers: Annotated[str, typer.Option(help="Layers, such as 2,3, or all.")] = "all",
    seeds: Annotated[str, typer.Option(help="Seeds, such as 0,1.")] = "0",
    given: Annotated[list[str] | None, typer.Option("--set", help="The method's option, such as pairs=8.")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Measure the dose scale as well.")] = False,
) -> None:
    """Fit a steering method to a concept and save it: config.json, artifact.safetensors and a card."""
    fitter, idea = tada.get_method(method, **options(given or [])), tada.get_concept(concept)
    chosen, noise = layer_list(layers), numbers(seeds, "--seeds")
    # Made first: a folder that cannot be written to should cost no fitting.
    out.mkdir(parents=True, exist_ok=True)
    model = tada.load_model(on, source, **options(load or [], "--load"))
    with bar(f"fitting {method} to {concept} on {on}") as progress:
        artifact = fitter.fit(model, idea, chosen, noise, progress=progress)
    if calibrate:
        with bar("measuring its dose") as progress:
            artifact = tada.calibrate(model, artifact, progress=progress)
    print(artifact.save_pretrained(out))
