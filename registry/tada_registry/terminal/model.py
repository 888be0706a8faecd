"""Which model a command works on: the options that every such command has."""

from __future__ import annotations

from typing import Annotated

import typer

On = Annotated[str, typer.Option("--on", help="Model.")]
Source = Annotated[str | None, typer.Option(help="Folder or hub id of the model's weights.")]
Load = Annotated[
    list[str] | None, typer.Option("--load", help="Option of the model's load, such as device=cuda or dtype=bfloat16.")
]
