"""What the listener learns. Captions say only some of what is true, so one is right for more clips than its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from tada_etude.synth import BRIGHTNESSES, INSTRUMENTS, MODES, REGISTERS, TEMPOS, Attributes

VALUES: Final[dict[str, tuple[object, ...]]] = {
    "tempo": tuple(TEMPOS),
    "register": tuple(REGISTERS),
    "brightness": BRIGHTNESSES,
    "drums": (False, True),
    "mode": MODES,
    "instrument": INSTRUMENTS,
}
"""What captions speak of, and what it can be."""


def code(attributes: Attributes, names: Iterable[str] = tuple(VALUES)) -> list[int]:
    """The attributes as numbers [6], -1 for one that is not among `names`: nothing is said of it."""
    said = set(names)
    return [values.index(getattr(attributes, name)) if name in said else -1 for name, values in VALUES.items()]


def true(clips: Tensor, captions: Tensor) -> Tensor:
    """Which caption says nothing false of which clip [clips, captions], from their codes [clips, 6], [captions, 6]."""
    return ((captions == -1) | (captions == clips[:, None])).all(-1)


def contrast(logits: Tensor, right: Tensor) -> Tensor:
    """-log(e^s / (e^s + sum of e^n over the column's wrong rows)), mean over right s of a column, then over columns.

    InfoNCE (van den Oord et al., arXiv 1807.03748) with many positives, which do not compete with one another.

    Args:
        logits: similarities [clips, captions].
        right: where a caption is true of a clip, same shape. A column that has no wrong or no right row is left out.
    """
    wrong = torch.logsumexp(logits.masked_fill(right, -torch.inf), 0)
    losses = functional.softplus(wrong - logits)
    used = right.any(0) & ~right.all(0)
    means = (losses * right)[:, used].sum(0) / right[:, used].sum(0)
    return means.mean() if used.any() else logits.sum() * 0.0


def tell_apart(logits: Tensor, right: Tensor) -> Tensor:
    """-log sigmoid(s - n), s and n the similarities [clips] of a clip to a caption and to one that is wrong in a word.

    Args:
        logits: s and n, [clips, 2].
        right: whether each is true of the clip, [clips, 2]; clips without a false one are left out.
    """
    used = right[:, 0] & ~right[:, 1]
    losses = functional.softplus(logits[:, 1] - logits[:, 0])
    return losses[used].mean() if used.any() else logits.sum() * 0.0
