"""Train from the shell: python -m tada_etude.training FOLDER [--steps N] [--export DESTINATION]."""

from __future__ import annotations

import argparse
from pathlib import Path

import attrs

from tada_etude.training import Progress, TrainConfig, export, train


def main() -> None:
    """Train in a folder, or go on there; then write the pipeline if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=TrainConfig().steps)
    parser.add_argument("--export", type=Path, help="write the pipeline folder here; with --steps 0, only that")
    given = parser.parse_args()
    if given.steps:
        train(attrs.evolve(TrainConfig(), steps=given.steps), given.folder, _print)
    if given.export:
        export(given.folder, given.export)


def _print(progress: Progress) -> None:
    line = f"step {progress.step}/{progress.steps}  loss {progress.loss:.4f}  {progress.seconds:.2f} s a step"
    print(line, flush=True)


if __name__ == "__main__":
    main()
