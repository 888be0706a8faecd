"""Which model and concept a command works on: what every such command takes."""

from __future__ import annotations

from typing import Annotated

import typer

ConceptName = Annotated[str, typer.Argument(help="A registered concept, such as tempo.")]
On = Annotated[str, typer.Option("--on", help="Model.")]
Source = Annotated[str | None, typer.Option(help="Folder or hub id of the model's weights.")]
Load = Annotated[
    list[str] | None, typer.Option("--load", help="Option of the model's load, such as device=cuda or dtype=bfloat16.")
]
