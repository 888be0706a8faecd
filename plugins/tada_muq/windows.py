"""How MuQ-MuLan cuts a clip: one window after another, the last one filled from the start of the clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tada_core.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor


def windows(samples: Tensor, size: int) -> Tensor:
    """Windows [n, size] of samples [m], none of them random, each sample of the clip in at least one.

    A clip of less than half a window gives one window of 2 m samples: the clip twice, as the published code has it.

    Raises:
        SpecError: there are no samples.
    """
    import torch

    whole, rest = divmod(len(samples), size)
    if not len(samples):
        raise SpecError("an empty clip has no MuQ-MuLan embedding; give clips that hold samples")
    cut = [samples[i * size : (i + 1) * size] for i in range(whole)]
    if rest:
        cut.append(torch.cat([samples[whole * size :], samples[: size - rest]]))
    return torch.stack(cut)
