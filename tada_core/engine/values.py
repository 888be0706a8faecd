"""The tensor inside whatever a module returns: a tensor, a tuple that starts with one, or an output object."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from tada_core.errors import EngineError


def first_tensor(value: Any) -> Tensor:
    """The first tensor of a module's output.

    Raises:
        EngineError: there is none where it is expected.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, tuple | list) and value and isinstance(value[0], Tensor):
        return value[0]
    sample = getattr(value, "sample", None)
    if isinstance(sample, Tensor):
        return sample
    raise EngineError(f"no tensor in an output of type {type(value).__name__}")


def with_first(value: Any, tensor: Tensor) -> Any:
    """`value` with its first tensor replaced."""
    if isinstance(value, Tensor):
        return tensor
    if isinstance(value, tuple | list):
        return type(value)((tensor, *value[1:]))
    return type(value)(sample=tensor)
