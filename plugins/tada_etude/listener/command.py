"""`tada train-listener`: train the listener from scratch, or go on where a run stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from attrs import evolve

from tada_core.errors import CheckpointError
from tada_core.progress import bar


def train_listener(
    folder: Annotated[Path, typer.Argument(help="Where data, checkpoint and loss curve are kept.")] = Path("listener"),
    steps: Annotated[int | None, typer.Option(help="Optimiser steps in all; default: the shipped recipe's.")] = None,
    export_to: Annotated[Path | None, typer.Option("--export", help="Write the weights into this folder.")] = None,
    tiny: Annotated[
        bool, typer.Option(help="A run of seconds that exercises every part; of no use for listening.")
    ] = False,
) -> None:
    """Train the listener from scratch, or resume its training; the same command goes on after an interruption."""
    from tada_etude.listener.config import ListenerConfig
    from tada_etude.listener.export import export
    from tada_etude.listener.loop import train

    config = ListenerConfig.tiny() if tiny else ListenerConfig()
    config = config if steps is None else evolve(config, steps=steps)
    with bar("training the listener") as progress:
        try:
            state = train(config, folder, progress)
        except ValueError as error:
            raise CheckpointError(str(error)) from error
    print(f"step {state.step}, loss {state.curve[-1][1]:.4f}: {folder / 'checkpoint.pt'}, {folder / 'loss.csv'}")
    if export_to is not None:
        export(folder, export_to)
        print(f"weights: {export_to}")
