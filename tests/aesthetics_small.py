"""A small Audiobox Aesthetics of the real class, its weights drawn from its parameters' names."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager

import torch

SMALL = {
    "encoder_layers": 2,
    "encoder_embed_dim": 32,
    "encoder_ffn_embed_dim": 64,
    "encoder_attention_heads": 4,
    "conv_feature_layers": "[(16,10,5)] + [(16,3,2)] * 4 + [(16,2,2)] * 2",
    "conv_pos": 16,
    "conv_pos_groups": 4,
}
TRANSFORM = {
    "CE": {"mean": 5.0, "std": 1.5},
    "CU": {"mean": 5.5, "std": 1.25},
    "PC": {"mean": 3.5, "std": 2.0},
    "PQ": {"mean": 6.0, "std": 1.0},
}
CONFIG = {"proj_num_layer": 2, "proj_ln": True, "nth_layer": 3, "target_transform": TRANSFORM}


@contextmanager
def small():
    """The class's own configuration, which is fixed, made small."""
    from audiobox_aesthetics.model import aes

    own = aes.DEFAULT_AUDIO_CFG
    aes.DEFAULT_AUDIO_CFG = aes.WavLMConfig({**vars(own), **SMALL})
    try:
        yield
    finally:
        aes.DEFAULT_AUDIO_CFG = own


def drawn(name, shape):
    """Normal numbers of a name, of deviation 0.4 around 0, or around 1 for a norm's weight."""
    generator = torch.Generator().manual_seed(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
    around = 1.0 if "norm" in name and name.endswith("weight") else 0.0
    return around + 0.4 * torch.randn(shape, generator=generator)


def build():
    """The library's own network, filled; nothing of tada in it."""
    from audiobox_aesthetics.model.aes import AesMultiOutput

    with small(), torch.no_grad():
        network = AesMultiOutput(**CONFIG)
        for name, parameter in network.named_parameters():
            parameter.copy_(drawn(name, parameter.shape))
    return network.eval()


def clip(samples, rate=16000, seed=0):
    """Three notes and a little noise, [samples]."""
    time = torch.arange(samples) / rate
    tones = sum(torch.sin(2 * torch.pi * pitch * time * (1 + 0.7 * seed)) for pitch in (220.0, 440.0, 1320.0))
    noise = torch.randn(samples, generator=torch.Generator().manual_seed(seed))
    return 0.2 * tones * torch.exp(-(time % (0.5 + seed)) * 4) + 0.03 ** (seed + 1) * noise
