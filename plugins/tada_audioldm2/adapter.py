"""AudioLDM2 behind the adapter contract."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from tada_core.adapter import Batch, Defaults
from tada_core.generation import Row
from tada_core.pipelines import PipelineAdapter
from tada_core.sites import Layer
from tada_core.tokens import count_tokens, unread, word_places


class AudioLDM2(PipelineAdapter):
    """AudioLDM2, base and large: two text streams, each read by cross-attention layers of its own."""

    name: ClassVar[str] = "audioldm2"
    licence: ClassVar[str] = "CC-BY-NC-SA-4.0"
    pipeline: ClassVar[str] = "AudioLDM2Pipeline"
    network: ClassVar[str] = "unet"
    source: ClassVar[str] = "cvssp/audioldm2"
    text_kwargs: ClassVar[tuple[str, ...]] = (
        "encoder_hidden_states",
        "encoder_hidden_states_1",
        "encoder_attention_mask_1",
    )
    batched: ClassVar[tuple[int | str, ...]] = (0, *text_kwargs)

    @classmethod
    def components(cls, where: str, dtype: torch.dtype) -> dict[str, Any]:
        """The language model with its head: the published folders name a class that cannot generate."""
        from transformers import GPT2LMHeadModel

        model = GPT2LMHeadModel.from_pretrained(where, subfolder="language_model", dtype=dtype)
        return {"language_model": model}

    def sample_rate(self) -> int:
        """The vocoder's."""
        return int(self.pipe.vocoder.config.sampling_rate)

    def find_layers(self) -> tuple[Layer, ...]:
        """The text-fed half of each block's attentions; the others attend to the spectrogram itself."""
        return tuple(
            Layer(index, f"{block}.attn2", block, attention.to_out[0].out_features, stream=stream, alias=block)
            for index, (block, attention, stream) in enumerate(text_fed(self.pipe.unet))
        )

    def find_defaults(self) -> Defaults:
        """The length the network was trained on; steps and guidance are the pipeline's."""
        frames = self.pipe.unet.config.sample_size * self.pipe.vae_scale_factor
        seconds = frames * prod(self.pipe.vocoder.config.upsample_rates) / self.rate
        return Defaults(seconds=seconds, steps=200, guidance=3.5)

    def arguments(self, batch: Batch) -> dict[str, Any]:
        """The length alone."""
        return {"audio_length_in_s": batch.seconds}

    @property
    def most(self) -> int:
        """Tokens after which T5's prompt is cut."""
        return int(self.pipe.tokenizer_2.model_max_length)

    def tokens(self, text: str) -> int:
        """T5 tokens; the language model's stream is always as long."""
        return count_tokens(self.pipe.tokenizer_2, text, self.most)

    def unread(self, text: str) -> str:
        """What T5 does not read; the language model's text encoder reads as many tokens of its own."""
        return unread(self.pipe.tokenizer_2, text, self.most)

    def places(self, text: str, word: str) -> tuple[str, tuple[int, ...]]:
        """T5 tokens; what the language model makes of a word has no places."""
        return self.text_kwargs[1], word_places(self.pipe.tokenizer_2, text, word, self.most)

    def batch_key(self, row: Row) -> Hashable:
        """Tokens of the prompt: the language model reads the padding, and so does the null text padded alike."""
        return self.tokens(row.text)

    def waveform(self, latents: Tensor) -> Tensor:
        """Latents to a mel spectrogram, and that through the vocoder; [rows, 1, samples]."""
        spectrogram = self.pipe.vae.decode(latents / self.pipe.vae.config.scaling_factor).sample
        samples: Tensor = self.pipe.mel_spectrogram_to_waveform(spectrogram)
        return samples[:, None]


def text_fed(network: nn.Module) -> Iterator[tuple[str, Any, str]]:
    """Path of the block, cross-attention and text stream of every text-fed layer, in the order they run.

    The network's own list of modules has the middle block last, but it runs between the two halves. In every group of
    attentions the first two places read the language model's states, the others T5's.
    """
    parts = dict(network.named_modules())
    sides = [[name for name in parts if name.rpartition(".")[0] == side] for side in ("down_blocks", "up_blocks")]
    for name in (*sides[0], "mid_block", *sides[1]):
        group = getattr(parts[name], "cross_attention_dim", ())
        for place, attention in enumerate(getattr(parts[name], "attentions", ())):
            stream = "gpt2" if place % len(group) <= 1 else "t5"
            for depth, block in enumerate(attention.transformer_blocks):
                if block.attn2.is_cross_attention:
                    yield f"{name}.attentions.{place}.transformer_blocks.{depth}", block.attn2, stream
