"""Padding made harmless in LongCat's text path, so that prompts of different length can share a batch.

The network masks padding in attention and in the mean of the text, but its text convolutions read what they themselves
write behind the end of a prompt, and their response norm runs over padding too. A prompt without padding comes out bit
for bit as before.
"""

from __future__ import annotations

from typing import Any

from diffusers.models.transformers.transformer_longcat_audio_dit import AudioDiTCrossAttnProcessor
from torch import Tensor, nn


def ignore_padding(network: nn.Module) -> None:
    """Hide padding from the text convolutions, and let cross-attention read a text of any length.

    Args:
        network: a LongCatAudioDiTTransformer; changed in place.
    """
    parts = dict(network.named_children())
    masks: list[Tensor] = []

    def note(_: nn.Module, args: tuple[Tensor, Tensor]) -> None:
        masks[:] = [args[1].unsqueeze(-1)]

    def hide(_: nn.Module, args: tuple[Tensor]) -> tuple[Tensor]:
        return (args[0].masked_fill(masks[0].logical_not(), 0.0),)

    parts["text_embed"].register_forward_pre_hook(note)
    for block in parts.get("text_conv_layer", nn.Sequential()).children():
        block.register_forward_pre_hook(hide)
        block.get_submodule("grn").register_forward_pre_hook(hide)
    for block in parts["blocks"].children():
        block.get_submodule("cross_attn").set_processor(AnyLength(parts["rotary_embed"]))  # type: ignore[operator]


class AnyLength(AudioDiTCrossAttnProcessor):  # type: ignore[misc]
    """Cross-attention whose keys are rotated by the length of the text it is given, which a patch may change."""

    def __init__(self, rotary: nn.Module) -> None:
        self.rotary = rotary

    def __call__(self, attn: nn.Module, hidden_states: Tensor, encoder_hidden_states: Tensor, **others: Any) -> Tensor:
        """Output of the block [rows, frames, width], text [rows, tokens, width]."""
        others["prompt_rotary_emb"] = self.rotary(encoder_hidden_states)
        output: Tensor = super().__call__(attn, hidden_states, encoder_hidden_states, **others)
        return output
