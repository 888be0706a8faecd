"""A tensor with one entry per step, read at a step of a run of another length."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def at_step(values: Float[Tensor, "s d"], step: int, steps: int) -> Float[Tensor, " d"]:
    """Linear interpolation over the fraction of the trajectory; exactly `values[step]` when the lengths agree."""
    stored = values.shape[0]
    low, rest = divmod(step * stored, steps)
    if rest == 0 or low + 1 >= stored:
        return values[low]
    return values[low] + (values[low + 1] - values[low]) * (rest / steps)
