"""`tada layers`: the layer table of a model."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

import tada_registry as tada
from tada_registry.terminal.model import Load, Source
from tada_registry.terminal.options import options
from tada_registry.terminal.screen import AsJson, table


def layers(
    model: Annotated[str, typer.Argument(help="A registered model, such as etude.")] = "etude",
    source: Source = None,
    load: Load = None,
    as_json: AsJson = False,
) -> None:
    """Print the text-fed cross-attention layers of a model: index in execution order, module path, width, slots."""
    loaded = tada.load_model(model, source, **options(load or [], "--load"))
    rows: list[dict[str, Any]] = [
        {
            "layer": layer.index,
            "path": layer.path,
            "width": layer.width,
            "slots": ["text", *layer.written()],
            "stream": layer.stream,
        }
        for layer in loaded.layers
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        table([row | {"slots": " ".join(row["slots"])} for row in rows])
