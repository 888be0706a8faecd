"""Drawing codes: each row with a generator of its own, so that a clip does not depend on its batch mates."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor


def draw(logits: Tensor, generators: Sequence[Generator], top_k: int, temperature: float) -> Tensor:
    """Codes [rows, codebooks], each drawn from the `top_k` most likely entries of its codebook.

    The largest of logits plus Gumbel noise is a draw from their softmax.

    Args:
        logits: [rows, codebooks, entries].
        generators: one per row, on the CPU.
        top_k: 1 always takes the most likely entry.
        temperature: above 0; higher is more random.
    """
    values, entries = logits.float().topk(min(top_k, logits.shape[-1]), dim=-1)
    waiting = torch.stack([torch.empty(values.shape[1:]).exponential_(generator=one) for one in generators])
    best = (values / temperature - waiting.log().to(values.device)).argmax(-1, keepdim=True)
    return entries.gather(-1, best).squeeze(-1)
