"""Rows of text arguments: padded to one length, replaced, moved along a direction.

A text may come with a mask, an argument with "mask" in its name: it is 1 where there is text, or a bias that is added
to the attention scores, 0 there and very negative elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from tada_core.errors import EngineError
from tada_core.maths.blend import shift

HIDDEN = -1e4
"""What a bias adds where there is padding; half precision can hold it."""


def replace_rows(kwargs: Mapping[str, Any], new: Mapping[int, Mapping[str, Tensor]]) -> dict[str, Any]:
    """Arguments with some rows of some tensors replaced; the given tensors stay as they are.

    A text with a mask may have another length: the shorter side is padded, and the mask hides the padding. A text
    without one may where every row of the call is replaced.

    Raises:
        EngineError: a new text has another length than the row's, no mask, and other rows stay.
    """
    names = list(next(iter(new.values())))
    if all(isinstance(kwargs[name], Tensor) and set(new) == set(range(len(kwargs[name]))) for name in names):
        rows = [new[place] for place in range(len(new))]
        if len({tuple(row[name].shape for name in names) for row in rows}) == 1:
            return dict(kwargs) | {name: torch.stack([row[name] for row in rows]).to(kwargs[name]) for name in names}
    for place, one in new.items():
        kwargs = replace_row(kwargs, place, one)
    return dict(kwargs)


def replace_row(kwargs: Mapping[str, Any], place: int, new: Mapping[str, Tensor]) -> dict[str, Any]:
    """`replace_rows` of a single row."""
    changed = dict(kwargs)
    masked = {value.shape[-1] for name, value in new.items() if "mask" in name}
    for name, value in new.items():
        host = kwargs[name]
        axis, fill = layout(name, host)
        length = max(value.shape[axis], host.shape[axis])
        if value.shape[axis] != host.shape[axis] and value.shape[axis] not in masked:
            raise EngineError(
                f"donor text '{name}' has {value.shape[axis]} tokens, the row's {host.shape[axis]}, and there is no "
                "mask to hide padding; use prompts of the same token length on this model"
            )
        changed[name] = pad(host, axis, length, fill).clone()
        changed[name][place] = pad(value, axis, length, fill).to(host)
    return changed


def shift_row(
    kwargs: Mapping[str, Any], place: int, positive: Mapping[str, Tensor], negative: Mapping[str, Tensor], a: float
) -> dict[str, Tensor]:
    """One row's text moved along a difference, token by token: c + a (c+ - c-).

    A token that one of the three lacks counts as zero there; the row reads every token that any of them has.
    """
    own = {name: kwargs[name][place] for name in positive}
    moved: dict[str, Tensor] = {}
    for name, host in own.items():
        axis, fill = layout(name, kwargs[name])
        sides = [one[name].to(host) if "mask" in name else seen(kwargs, one, name) for one in (own, positive, negative)]
        length = max(side.shape[axis] for side in sides)
        c, up, down = (pad(side.to(host), axis, length, fill) for side in sides)
        moved[name] = torch.maximum(c, torch.maximum(up, down)) if "mask" in name else shift(c, up, down, a)
    return moved


def shift_tokens(text: Tensor, places: Sequence[int], vector: Tensor, a: float) -> Tensor:
    """A row's text [tokens, width] with some tokens moved along a direction: c + a v there.

    Raises:
        EngineError: the direction has another width than the text.
    """
    if vector.shape[-1] != text.shape[-1]:
        raise EngineError(f"the direction is {vector.shape[-1]} wide, the text {text.shape[-1]}; fit it on this model")
    moved = text.clone()
    moved[list(places)] += a * vector.to(text)
    return moved


def seen(kwargs: Mapping[str, Any], row: Mapping[str, Tensor], name: str) -> Tensor:
    """A row's text [tokens, width], zero where its mask hides it; encoders leave something there."""
    text = row[name]
    for other, mask in row.items():
        if "mask" in other and mask.shape[-1] == text.shape[-2]:
            hidden = mask < 0 if layout(other, kwargs[other])[1] else mask == 0
            return text.masked_fill(hidden.reshape(-1, 1).to(text.device), 0.0)
    return text


def layout(name: str, host: Tensor) -> tuple[int, float]:
    """The axis of the tokens of an argument, and what its padding is."""
    if "mask" not in name:
        return -2, 0.0
    added = host.is_floating_point() and bool((host <= 0).all())
    return -1, HIDDEN if added else 0.0


def pad(tensor: Tensor, axis: int, length: int, value: float = 0.0) -> Tensor:
    """The tensor with `value` after its end on one axis, so that it is `length` long there."""
    missing = length - tensor.shape[axis]
    if missing == 0:
        return tensor
    shape = list(tensor.shape)
    shape[axis] = missing
    return torch.cat([tensor, tensor.new_full(shape, value)], axis)
