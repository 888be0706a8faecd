"""Names of laion-clap's checkpoint in transformers' ClapModel; the numbers stay as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import Tensor

RENAMED: Final = {
    r"^audio_branch\.": "audio_model.audio_encoder.",
    r"^text_branch\.": "text_model.",
    r"_projection\.0\.": "_projection.linear1.",
    r"_projection\.2\.": "_projection.linear2.",
    r"\.bn0\.": ".batch_norm.",
    r"\.norm1\.": ".layernorm_before.",
    r"\.norm2\.": ".layernorm_after.",
    r"\.attn\.proj\.": ".attention.output.dense.",
    r"\.attn\.relative_": ".attention.self.relative_",
    r"\.mlp\.fc1\.": ".intermediate.dense.",
    r"\.mlp\.fc2\.": ".output.dense.",
}

LEFT: Final = re.compile(
    r"^(audio|text)_transform\.|^audio_branch\.(head|tscam_conv|spectrogram_extractor|logmel_extractor)\.|\.attn_mask$"
)
"""Parts that no embedding passes through (heads of the training) or that follow from the settings (the front end)."""

MADE: Final = re.compile(r"position_ids$|token_type_ids$|relative_position_index$|num_batches_tracked$|^logit_scale_")
"""Tables and counters that a checkpoint may leave out."""

PROJECTIONS: Final = ("query", "key", "value")


def convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A state dict of laion-clap, with or without "module." before every name, in transformers' names."""
    bare = {name.removeprefix("module."): value for name, value in state.items()}
    return dict(pair for name, value in bare.items() if not LEFT.search(name) for pair in _pairs(name, value))


def _pairs(name: str, value: Tensor) -> Iterator[tuple[str, Tensor]]:
    for pattern, new in RENAMED.items():
        name = re.sub(pattern, new, name)
    if ".attn.qkv." not in name:
        yield name, value
        return
    # One matrix holds the three projections, one after the other.
    for part, own in zip(PROJECTIONS, value.chunk(3), strict=True):
        yield name.replace(".attn.qkv.", f".attention.self.{part}."), own
