"""The denoiser: text, speaker and lyrics into one context, and frames through blocks that attend to it."""

from __future__ import annotations

import torch
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from torch import Tensor, nn

from tada_ace_step.block import Block, norm
from tada_ace_step.lyric_encoder import LyricEncoder

WEAKENED = range(15, 20)
"""Blocks whose queries entropy rectifying guidance scales on the unconditional call."""

UNUSED = (r"projectors\.", r"\.add_[qkv]_proj\.", r"\.to_add_out\.")
"""Parameters of the published checkpoint that inference never reads: 0.63 of 3.2 billion."""


class PatchIn(nn.Module):
    """Columns of the latents to tokens: one per frame."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.early_conv_layers = nn.Sequential(
            nn.Conv2d(channels, channels * 256, (height, 1)),
            nn.GroupNorm(32, channels * 256, eps=1e-6),
            nn.Conv2d(channels * 256, width, 1),
        )

    def forward(self, latents: Tensor) -> Tensor:
        """[batch, channels, height, frames] to [batch, frames, width]."""
        out: Tensor = self.early_conv_layers(latents).squeeze(2).transpose(1, 2)
        return out


class FinalLayer(nn.Module):
    """Tokens back to columns of the latents."""

    def __init__(self, width: int, height: int, channels: int) -> None:
        super().__init__()
        self.height = height
        self.linear = nn.Linear(width, height * channels)
        self.scale_shift_table = nn.Parameter(torch.zeros(2, width))

    def forward(self, hidden: Tensor, time: Tensor) -> Tensor:
        """[batch, frames, width] and time [batch, width] to [batch, channels, height, frames]."""
        shift, scale = (self.scale_shift_table + time[:, None]).unsqueeze(2).unbind(1)
        columns = self.linear(norm(hidden) * (1 + scale) + shift).unflatten(-1, (self.height, -1))
        out: Tensor = columns.permute(0, 3, 2, 1)
        return out


class AceStepTransformer(nn.Module):
    """ACE-Step v1's transformer, parameters under the published names, without those that inference never uses.

    The defaults are the published 3.5B model. The `lyric_encoder_*` sizes are in no published config.
    `encode` makes the context once per prompt; `forward` is one call of the denoiser, so that it can be traced.
    """

    def __init__(
        self,
        in_channels: int = 8,
        out_channels: int = 8,
        num_layers: int = 24,
        attention_head_dim: int = 128,
        num_attention_heads: int = 20,
        mlp_ratio: float = 2.5,
        rope_theta: float = 1000000.0,
        max_height: int = 16,
        text_embedding_dim: int = 768,
        speaker_embedding_dim: int = 512,
        lyric_encoder_vocab_size: int = 6693,
        lyric_hidden_size: int = 1024,
        lyric_encoder_layers: int = 6,
        lyric_encoder_heads: int = 16,
        lyric_encoder_linear_units: int = 4096,
    ) -> None:
        super().__init__()
        width = num_attention_heads * attention_head_dim
        self.width, self.channels, self.height = width, in_channels, max_height
        self.transformer_blocks = nn.ModuleList(
            Block(width, num_attention_heads, int(width * mlp_ratio), rope_theta) for _ in range(num_layers)
        )
        self.time_proj = Timesteps(256, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.timestep_embedder = TimestepEmbedding(256, width)
        self.t_block = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))
        self.speaker_embedder = nn.Linear(speaker_embedding_dim, width)
        self.genre_embedder = nn.Linear(text_embedding_dim, width)
        self.lyric_embs = nn.Embedding(lyric_encoder_vocab_size, lyric_hidden_size)
        self.lyric_encoder = LyricEncoder(
            lyric_hidden_size, lyric_encoder_layers, lyric_encoder_heads, lyric_encoder_linear_units
        )
        self.lyric_proj = nn.Linear(lyric_hidden_size, width)
        self.proj_in = PatchIn(in_channels, max_height, width)
        self.final_layer = FinalLayer(width, max_height, out_channels)

    def encode(
        self,
        text: Tensor,
        text_mask: Tensor,
        speaker: Tensor,
        lyrics: Tensor,
        lyric_mask: Tensor,
        query_gain: float = 1.0,
    ) -> tuple[Tensor, Tensor]:
        """The context [batch, 1 + n + m, width] and its mask [batch, 1 + n + m]: speaker, text, lyrics.

        Args:
            text: states of the text encoder, [batch, n, text width].
            text_mask: [batch, n].
            speaker: [batch, speaker width]; zeros in every published use.
            lyrics: token ids, [batch, m].
            lyric_mask: [batch, m]; no lyrics is one token 0 with mask 0.
            query_gain: factor of the queries of the lyric encoder's layers `lyric_encoder.WEAKENED`.
        """
        sung = self.lyric_proj(self.lyric_encoder(self.lyric_embs(lyrics), lyric_mask, query_gain))
        context = torch.cat([self.speaker_embedder(speaker)[:, None], self.genre_embedder(text), sung], 1)
        always = text_mask.new_ones(len(text_mask), 1)
        return context, torch.cat([always, text_mask, lyric_mask.to(text_mask)], 1)

    def forward(
        self,
        hidden_states: Tensor,
        timestep: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor,
        frame_mask: Tensor | None = None,
        query_gain: float = 1.0,
    ) -> Tensor:
        """The predicted velocity [batch, channels, height, frames] of latents (same shape).

        Args:
            hidden_states: noisy latents.
            timestep: [batch], from 0 to 1000.
            encoder_hidden_states, attention_mask: what `encode` gave.
            frame_mask: [batch, frames], 1 at real frames; None: all are.
            query_gain: factor of the queries of the blocks `WEAKENED`.
        """
        time = self.timestep_embedder(self.time_proj(timestep).to(hidden_states.dtype))
        shares = self.t_block(time).unflatten(-1, (6, -1))
        hidden = self.proj_in(hidden_states)
        for index, block in enumerate(self.transformer_blocks):
            gain = query_gain if index in WEAKENED else 1.0
            hidden = block(hidden, encoder_hidden_states, attention_mask, shares, frame_mask, gain)
        out: Tensor = self.final_layer(hidden, time)
        return out
