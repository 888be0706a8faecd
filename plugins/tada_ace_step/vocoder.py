"""The vocoder: log-mel frames through a ConvNeXt backbone and a HiFi-GAN generator to samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, silu

UNUSED = (r"^mel_transform\.",)
"""Parameters of the published checkpoint that only the way from audio to mel needs."""


class FrameNorm(nn.Module):
    """Layer norm over the channels of [batch, channels, frames]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return layer_norm(x.transpose(1, 2), self.weight.shape, self.weight, self.bias, 1e-6).transpose(1, 2)


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution, norm, two pointwise layers, a scaled residual (Liu et al. 2022)."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.dwconv = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, frames] to the same."""
        y = self.norm(self.dwconv(x).transpose(1, 2))
        out: Tensor = x + (self.gamma * self.pwconv2(gelu(self.pwconv1(y)))).transpose(1, 2)
        return out


class Backbone(nn.Module):
    """Stages of ConvNeXt blocks, each after a change of width; the number of frames stays."""

    def __init__(self, mels: int, depths: Sequence[int], widths: Sequence[int], kernel: int) -> None:
        super().__init__()
        stem = nn.Sequential(
            nn.Conv1d(mels, widths[0], kernel, padding=kernel // 2, padding_mode="replicate"), FrameNorm(widths[0])
        )
        changes = [nn.Sequential(FrameNorm(a), nn.Conv1d(a, b, 1)) for a, b in pairwise(widths)]
        self.channel_layers = nn.ModuleList([stem, *changes])
        self.stages = nn.ModuleList(
            nn.Sequential(*(ConvNeXtBlock(width, kernel) for _ in range(depth)))
            for depth, width in zip(depths, widths, strict=True)
        )
        self.norm = FrameNorm(widths[-1])

    def forward(self, mel: Tensor) -> Tensor:
        """[batch, mels, frames] to [batch, last width, frames]."""
        for change, stage in zip(self.channel_layers, self.stages, strict=True):
            mel = stage(change(mel))
        out: Tensor = self.norm(mel)
        return out


class ResidualBlock(nn.Module):
    """Pairs of a dilated and a plain convolution, each pair a residual branch (Kong et al. 2020)."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()

        def conv(dilation: int) -> nn.Conv1d:
            return nn.Conv1d(channels, channels, kernel, dilation=dilation, padding=dilation * (kernel // 2))

        self.convs1 = nn.ModuleList(conv(dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(conv(1) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, samples] to the same."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            x = x + plain(silu(dilated(silu(x))))
        return x


class Generator(nn.Module):
    """Upsampling stages, each followed by the mean of its residual blocks (Kong et al. 2020)."""

    def __init__(
        self,
        inputs: int,
        width: int,
        upsample: Sequence[tuple[int, int]],
        residual: Sequence[tuple[int, Sequence[int]]],
        before: int,
        after: int,
    ) -> None:
        super().__init__()
        self.branches = len(residual)
        self.conv_pre = nn.Conv1d(inputs, width, before, padding=before // 2)
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in upsample:
            self.ups.append(nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2))
            width //= 2
            self.resblocks.extend(ResidualBlock(width, size, dilations) for size, dilations in residual)
        self.conv_post = nn.Conv1d(width, 1, after, padding=after // 2)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, channels, frames] to samples [batch, 1, frames * hop] in (-1, 1)."""
        x = self.conv_pre(x)
        for index, up in enumerate(self.ups):
            x = up(silu(x))
            branches = self.resblocks[index * self.branches : (index + 1) * self.branches]
            x = torch.stack([branch(x) for branch in branches]).mean(0)
        return torch.tanh(self.conv_post(silu(x)))


class MusicVocoder(nn.Module):
    """The published vocoder's inference half: 128 log-mel bins at a hop of 512 to 44.1 kHz.

    The defaults are the published model.
    """

    def __init__(
        self,
        input_channels: int = 128,
        depths: Sequence[int] = (3, 3, 9, 3),
        dims: Sequence[int] = (128, 256, 384, 512),
        kernel_sizes: Sequence[int] = (7,),
        upsample_rates: Sequence[int] = (4, 4, 2, 2, 2, 2, 2),
        upsample_kernel_sizes: Sequence[int] = (8, 8, 4, 4, 4, 4, 4),
        resblock_kernel_sizes: Sequence[int] = (3, 7, 11, 13),
        resblock_dilation_sizes: Sequence[Sequence[int]] = ((1, 3, 5),) * 4,
        num_mels: int = 512,
        upsample_initial_channel: int = 1024,
        pre_conv_kernel_size: int = 13,
        post_conv_kernel_size: int = 13,
        sampling_rate: int = 44100,
    ) -> None:
        super().__init__()
        self.rate, self.hop = sampling_rate, math.prod(upsample_rates)
        self.backbone = Backbone(input_channels, depths, dims, kernel_sizes[0])
        self.head = Generator(
            num_mels,
            upsample_initial_channel,
            list(zip(upsample_rates, upsample_kernel_sizes, strict=True)),
            list(zip(resblock_kernel_sizes, resblock_dilation_sizes, strict=True)),
            pre_conv_kernel_size,
            post_conv_kernel_size,
        )

    def forward(self, mel: Tensor) -> Tensor:
        """Samples [batch, 1, frames * hop] of log-mel frames [batch, mels, frames]."""
        out: Tensor = self.head(self.backbone(mel))
        return out


def fold_weight_norm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """weight = g v / |v|, the norm over all axes but the first (Salimans and Kingma 2016), for every g and v."""
    folded = {name: value for name, value in state.items() if not name.endswith(("weight_g", "weight_v"))}
    for name, direction in state.items():
        if name.endswith("weight_v"):
            norm = torch.linalg.vector_norm(direction, dim=tuple(range(1, direction.ndim)), keepdim=True)
            folded[name.removesuffix("_v")] = state[f"{name[:-1]}g"] * direction / norm
    return folded
