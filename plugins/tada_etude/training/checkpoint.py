"""The checkpoint of a training run and the rate of its steps, the same for everything that is trained here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import attrs
import torch

FREE: Final = frozenset({"steps", "checkpoint_seconds", "rate", "warmup"})
"""What a configuration may change between two parts of a run."""


class Recipe(attrs.AttrsInstance, Protocol):
    """What the rate of a step is found from, in any configuration."""

    @property
    def rate(self) -> float:
        """Peak rate."""

    @property
    def warmup(self) -> int:
        """Steps up to the peak."""

    @property
    def steps(self) -> int:
        """Steps in all."""


def learning_rate(step: int, config: Recipe) -> float:
    """Rate at a step: linear warm-up, then a cosine down to 1 % of the peak."""
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def write(folder: Path, config: Recipe, curve: Sequence[tuple[int, float]], content: dict[str, Any]) -> None:
    """Write `checkpoint.pt` and `loss.csv`, each by renaming a finished file.

    Args:
        folder: of the run.
        config: its recipe.
        curve: (step, mean loss).
        content: what else the checkpoint holds: tensors, numbers and text.
    """
    torch.save({"config": attrs.asdict(config), "curve": list(curve), **content}, folder / "checkpoint.part")
    (folder / "checkpoint.part").replace(folder / "checkpoint.pt")
    rows = ["step,loss", *(f"{step},{value:.5f}" for step, value in curve)]
    (folder / "loss.part").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "loss.part").replace(folder / "loss.csv")


def read(folder: Path, config: Recipe) -> dict[str, Any] | None:
    """What the folder's checkpoint holds, or None where there is none; read before any clip is synthesised.

    Raises ValueError where it is of another configuration.
    """
    path = folder / "checkpoint.pt"
    if not path.exists():
        return None
    stored: dict[str, Any] = torch.load(path, weights_only=True)
    differing = [k for k, v in attrs.asdict(config).items() if k not in FREE and stored["config"].get(k) != v]
    if differing:
        raise ValueError(f"{path} was trained with another {', '.join(differing)}; use another folder or that value")
    stored["curve"] = [(int(step), float(value)) for step, value in stored["curve"]]
    return stored
