"""Which entries of the pre-activations are kept: the k largest of every token, or of the batch."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tada_sae.settings import Selection

STRIDE = 61
"""One entry in so many is looked at to guess a bound; prime, so that no column is looked at alone."""

MARGIN = 1.3
"""How many more entries than wanted the guessed bound should let through."""

Kept = tuple[Float[Tensor, " entries"], Int[Tensor, " entries"], Int[Tensor, " tokens"]]
"""Values and features in the order of tokens, and the first entry of every token."""


def select(dense: Float[Tensor, "tokens count"], k: int, selection: Selection) -> Kept:
    """The entries kept of every token ("token"), or of the batch ("batch", k per token on average).

    Differs from the paper of BatchTopK (arXiv 2412.06410): entries below zero may be kept where fewer than k per token
    are above; ReLU makes them zero.
    """
    tokens, count = dense.shape
    if selection == "token":
        kept = dense.topk(min(k, count), sorted=False)
        starts = torch.arange(0, kept.values.numel(), kept.values.shape[1], device=dense.device)
        return kept.values.flatten(), kept.indices.flatten(), starts
    places = largest(dense.flatten(), tokens * min(k, count)).sort().values
    starts = torch.searchsorted(places, torch.arange(tokens, device=dense.device) * count)
    return dense.flatten()[places], places % count, starts


def largest(values: Float[Tensor, " n"], wanted: int) -> Int[Tensor, " wanted"]:
    """Places of the `wanted` largest entries, in no order.

    A sample gives a bound that is nearly always below the last of them, so that few entries have to be compared: five
    times quicker than comparing all, and exact.
    """
    sample = values[::STRIDE]
    asked = int(wanted / STRIDE * MARGIN) + 64
    if asked < len(sample):
        bound = sample.topk(asked, sorted=False).values.min()
        above = (values > bound).nonzero().squeeze(1)
        if len(above) >= wanted:
            return above[values[above].topk(wanted, sorted=False).indices]
    return values.topk(wanted, sorted=False).indices
