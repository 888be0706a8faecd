"""Prompts through UMT5, and the weakened prompts of entropy rectifying guidance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from tada_core.tokens import count_tokens, unread

LENGTH = 256
"""Most tokens of a prompt; the rest is cut, as upstream does."""

WEAKENED = range(8, 10)
"""Layers of the text encoder whose queries are scaled for a weakened prompt."""

GAIN = 0.01
"""Factor of the queries under entropy rectifying guidance, in all three networks."""


class TextEncoder:
    """Tokenizer and encoder."""

    def __init__(self, tokenizer: Any, network: Any) -> None:
        self.tokenizer, self.network = tokenizer, network

    def tokens(self, text: str) -> int:
        """Tokens of one prompt."""
        return count_tokens(self.tokenizer, text, most=LENGTH)

    def unread(self, text: str) -> str:
        """What of a prompt is cut."""
        return unread(self.tokenizer, text, most=LENGTH)

    @torch.no_grad()
    def encode(self, texts: Sequence[str], weaken: bool = False) -> tuple[Tensor, Tensor]:
        """States [prompts, tokens, width] and mask [prompts, tokens], padded to the longest prompt."""
        tokens = self.tokenizer(list(texts), return_tensors="pt", padding=True, truncation=True, max_length=LENGTH)
        device = self.network.device
        ids, mask = tokens.input_ids.to(device), tokens.attention_mask.to(device)
        with self._weakened() if weaken else nullcontext():
            return self.network(input_ids=ids, attention_mask=mask).last_hidden_state, mask

    @contextmanager
    def _weakened(self) -> Iterator[None]:
        blocks = self.network.encoder.block
        handles = [
            blocks[index].layer[0].SelfAttention.q.register_forward_hook(lambda _, __, output: output * GAIN)
            for index in WEAKENED
            if index < len(blocks)
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()
