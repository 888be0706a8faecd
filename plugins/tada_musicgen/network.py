"""MusicGen's decoder as a network that is called once per position, with rows first on every argument and result."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache, EncoderDecoderCache


class NextToken(nn.Module):
    """Codes so far and text to the logits of the next position.

    The text is read anew at every position: transformers would keep the keys and values of the first one, and a patch
    that starts later would change nothing. That costs two small products per layer.

    Args:
        language_model: a MusicgenForCausalLM.
    """

    def __init__(self, language_model: Any) -> None:
        super().__init__()
        self.decoder = language_model.model.decoder
        self.heads = language_model.lm_heads

    def forward(
        self, codes: Tensor, encoder_hidden_states: Tensor, encoder_attention_mask: Tensor, memory: DynamicCache
    ) -> Tensor:
        """Logits [rows, codebooks, entries] of the position after the last.

        Args:
            codes: delayed codes [rows, codebooks, positions], from the first position on.
            encoder_hidden_states: text [rows, tokens, width].
            encoder_attention_mask: [rows, tokens], 0 where the text is padding.
            memory: self-attention's keys and values of the positions that were seen; extended here.
        """
        fresh = codes[..., memory.get_seq_length() :]
        states = self.decoder(
            input_ids=fresh.flatten(0, 1),
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask[:, None, None].bool(),
            past_key_values=EncoderDecoderCache(memory, DynamicCache()),
            use_cache=True,
        ).last_hidden_state[:, -1]
        return torch.stack([head(states) for head in self.heads], dim=1)
