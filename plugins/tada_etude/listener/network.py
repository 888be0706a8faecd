"""The listener's two towers: a convolutional one for what is heard, a small transformer for what is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from tada_etude.listener.config import ListenerConfig
from tada_etude.listener.front import BANDS

STEM: Final = (4, 4)
"""Bands and frames of the patches that the first stage sees; nothing is lost in them."""

MIDDLE, SPREAD = -5.0, 1.5
"""Mean and deviation of the log-mel, roughly."""


class Stage(nn.Module):
    """Halves the map (but in the first stage) and lets neighbours meet: x + relu(norm(conv(x)))."""

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(inputs, outputs, stride, stride=stride)
        self.place = nn.Parameter(torch.zeros(outputs, 1, 1))
        self.meet = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.norm = nn.GroupNorm(1, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, inputs, bands, frames] -> [batch, outputs, bands / stride, frames / stride]."""
        x = self.reduce(x) + self.place
        return x + functional.relu(self.norm(self.meet(x)))


class AudioTower(nn.Module):
    """Four stages, and three ways to sum them up: an embedding, a severity, and the stages as they are."""

    def __init__(self, widths: Sequence[int], width: int) -> None:
        super().__init__()
        strides = (STEM, *[(2, 2)] * (len(widths) - 1))
        self.stages = nn.ModuleList(
            Stage(a, b, stride) for a, b, stride in zip((1, *widths[:-1]), widths, strides, strict=True)
        )
        # Where in the spectrum a sound is must not be lost to weights that are shared over it.
        self.stages[0].place = nn.Parameter(0.02 * torch.randn(widths[0], BANDS // STEM[0], 1))
        rows = BANDS // STEM[0] // 2 ** (len(widths) - 1)
        self.norm = nn.LayerNorm(2 * rows * widths[-1])
        self.embed = nn.Linear(2 * rows * widths[-1], width)
        self.judge = nn.Sequential(nn.Linear(2 * rows * widths[-1], width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, log_mel: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """What is heard in log-mel [batch, bands, frames].

        Returns:
            Embedding [batch, width] of unit length, severity [batch] as a logit, and what each stage gives
            [batch, channels, bands, frames].
        """
        x = ((log_mel - MIDDLE) / SPREAD)[:, None].contiguous(memory_format=torch.channels_last)
        stages = []
        for stage in self.stages:
            x = stage(x)
            stages.append(x)
        # Pooled over time alone: a pitch class is a place in the spectrum.
        pooled = self.norm(torch.cat([x.mean(-1), x.amax(-1)], 1).flatten(1))
        return functional.normalize(self.embed(pooled), dim=-1), self.judge(pooled)[:, 0], stages


class TextTower(nn.Module):
    """Words, their places, a few layers of attention, the mean."""

    def __init__(self, words: int, length: int, hidden: int, layers: int, width: int) -> None:
        super().__init__()
        self.words = nn.Embedding(words + 1, hidden, padding_idx=0)
        self.places = nn.Parameter(0.02 * torch.randn(length, hidden))
        layer = nn.TransformerEncoderLayer(
            hidden, max(1, hidden // 32), 2 * hidden, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.embed = nn.Linear(hidden, width)

    def forward(self, ids: Tensor) -> Tensor:
        """Embedding [batch, width] of unit length of word numbers [batch, length], 0 where there is no word."""
        empty = ids == 0
        read = self.layers(self.words(ids) + self.places[: ids.shape[1]], src_key_padding_mask=empty)
        kept = (~empty)[..., None]
        mean = (read * kept).sum(1) / kept.sum(1)
        return functional.normalize(self.embed(mean), dim=-1)


class Listener(nn.Module):
    """Both towers, and the temperature between them."""

    def __init__(self, config: ListenerConfig, words: int) -> None:
        super().__init__()
        self.audio = AudioTower(config.widths, config.width)
        self.audio.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.text = TextTower(words, config.text_length, config.text_width, config.text_layers, config.width)
        self.scale = nn.Parameter(torch.tensor(10.0).log())
