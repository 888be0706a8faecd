"""What modules see during a run, by hooks written by hand: what the engine is held against."""

from __future__ import annotations

from typing import Any

import tiny
from torch import Tensor

from tada_core import run


def seen(module: Any, model: tiny.Tiny, rows: Any, entering: bool = False) -> list[Tensor]:
    """What a module gives, or reads, at every call of a run."""
    calls: list[Tensor] = []
    if entering:
        handle = module.register_forward_pre_hook(lambda _, args: calls.append(args[0].clone()))
    else:
        handle = module.register_forward_hook(lambda _, args, output: calls.append(output.clone()))
    try:
        run(model, rows)
    finally:
        handle.remove()
    return calls
