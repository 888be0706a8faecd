"""The direction of a concept: the difference of the mean activations of its two sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tada_core.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor


def difference(means: Tensor, per_step: bool = True) -> Tensor:
    """mean(positive) - mean(negative) (TADA eq. 2, before its length is made one).

    Args:
        means: [steps, 2, width], the positive side first.
        per_step: one vector per step, [steps, width]; otherwise of the mean over steps, [width].

    Raises:
        SpecError: the two sides do not differ somewhere, so there is no direction.
    """
    v = means[:, 0] - means[:, 1]
    v = v if per_step else v.mean(0)
    if not v.any(dim=-1).all():
        raise SpecError("both sides of the concept give the same activations; its prompts read alike to this model")
    return v


def normalize(v: Tensor) -> Tensor:
    """Vectors [..., width] at length one."""
    one: Tensor = v / v.norm(dim=-1, keepdim=True)
    return one
