"""A small random CLAP in laion-clap's names: weights drawn by name, a tokenizer of bytes, clips from seeds.

Shared by the tests and by benchmarks/golden/clap.py, which records what laion-clap's own classes make of them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

TEXTS = ("a fast track", "This is a music of a female vocal singing", "slow " * 30)
"""The last one is cut: it has more than 77 tokens."""
RATE = 48000
LETTERS = 256 + 5
"""Tokens: every byte, and what is special."""


def seed(name: str) -> torch.Generator:
    """A generator that depends on a name alone."""
    return torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(name.encode()).digest()[:7]))


def drawn(name: str) -> bool:
    """Whether a tensor is drawn; the others are tables that follow from the shape."""
    fixed = ("_extractor.", "relative_position_index", "attn_mask", "num_batches_tracked", "position_ids")
    return not any(part in name for part in fixed)


def draw(name: str, shape: tuple[int, ...]) -> Tensor:
    """One tensor, of a size that keeps activations near one."""
    values = torch.randn(shape, generator=seed(name))
    if name.endswith("bn0.running_mean"):
        return -20 + 5 * values
    if name.endswith("bn0.running_var"):
        return 300 * (1 + 0.1 * values.abs())
    if name.endswith("bias_table"):
        return 0.5 * values
    if "embeddings." in name and len(shape) == 2:
        # So little that the epsilon of the norm after it shows.
        return 0.01 * values
    if len(shape) == 1:
        return 0.1 * values + (1.0 if name.endswith("weight") else 0.0)
    return values / math.sqrt(math.prod(shape[1:]))


def weights(shapes: Mapping[str, list[int]]) -> dict[str, Tensor]:
    """Every drawn tensor of a state dict."""
    return {name: draw(name, tuple(shape)) for name, shape in shapes.items() if drawn(name)}


def tokenizer(folder: Path) -> Any:
    """RoBERTa's tokenizer over single bytes, saved in a folder."""
    from transformers import RobertaTokenizer
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    tokens = ["<s>", "<pad>", "</s>", "<unk>", *bytes_to_unicode().values(), "<mask>"]
    made = RobertaTokenizer(vocab={token: index for index, token in enumerate(tokens)}, merges=[])
    made.save_pretrained(folder)
    return made


def clip(name: str, seconds: float) -> Tensor:
    """Four tones that swell and noise, [samples] at 48 kHz."""
    dice, time = seed(name), torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE
    made = 0.02 * torch.randn(len(time), generator=dice, dtype=torch.float64)
    for pitch, pace, phase in torch.rand(4, 3, generator=dice, dtype=torch.float64).tolist():
        swell = 0.5 + 0.5 * torch.sin(2 * math.pi * (1 + 3 * pace) * time + phase)
        made += 0.15 * swell * torch.sin(2 * math.pi * 110 * 2 ** (5 * pitch) * time)
    return made.float()
