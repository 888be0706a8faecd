"""How Audiobox Aesthetics cuts a clip: windows one after another, the last one filled with masked zeros."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from attrs import frozen

from tada_core.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor


@frozen(eq=False)
class Windows:
    """`wav` [n, 1, size]; `mask` [n, 1, size], true where the clip is; `weight` [n], the share of a window it fills."""

    wav: Tensor
    mask: Tensor
    weight: Tensor


def windows(samples: Tensor, size: int) -> Windows:
    """Windows of samples [m], every sample in exactly one.

    Raises:
        SpecError: there are no samples.
    """
    import torch
    from torch.nn import functional

    if not len(samples):
        raise SpecError("an empty clip has no aesthetics; give clips that hold samples")
    count = ceil(len(samples) / size)
    padding = (0, count * size - len(samples))
    mask = functional.pad(torch.ones(len(samples), dtype=torch.bool), padding).reshape(count, 1, size)
    wav = functional.pad(samples, padding).reshape(count, 1, size)
    return Windows(wav, mask, mask.sum((1, 2)) / size)
