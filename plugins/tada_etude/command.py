"""`tada train-etude`: train the embedded model from scratch, or go on where a run stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import evolve

from tada_core.errors import CheckpointError
from tada_core.progress import bar

if TYPE_CHECKING:
    from tada_etude.training import Progress


def train_etude(
    folder: Annotated[Path, typer.Argument(help="Where data, checkpoint and loss curve are kept.")] = Path("etude"),
    steps: Annotated[int | None, typer.Option(help="Optimiser steps in all; default: the shipped recipe's.")] = None,
    export_to: Annotated[Path | None, typer.Option("--export", help="Write the pipeline folder here.")] = None,
    tiny: Annotated[
        bool, typer.Option(help="A run of seconds that exercises every part; of no use for music.")
    ] = False,
) -> None:
    """Train etude from scratch, or resume its training; the same command goes on after an interruption."""
    from tada_etude.training import TrainConfig, export, train

    config = TrainConfig.tiny() if tiny else TrainConfig()
    config = config if steps is None else evolve(config, steps=steps)
    with bar("training etude") as progress:

        def report(now: Progress) -> None:
            progress(now.step, now.steps)

        try:
            state = train(config, folder, report)
        except ValueError as error:
            raise CheckpointError(str(error)) from error
    print(f"step {state.step}, loss {state.curve[-1][1]:.4f}: {folder / 'checkpoint.pt'}, {folder / 'loss.csv'}")
    if export_to is not None:
        export(folder, export_to)
        print(f"pipeline: {export_to}")
