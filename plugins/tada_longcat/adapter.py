"""LongCat-AudioDiT behind the adapter contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from attrs import evolve
from diffusers.pipelines.longcat_audio_dit.pipeline_longcat_audio_dit import _normalize_text
from torch import Tensor

from tada_core.adapter import Batch, Call, Defaults
from tada_core.pipelines import PipelineAdapter, stack
from tada_core.sites import Layer
from tada_core.tokens import count_tokens
from tada_longcat.padding import ignore_padding


class LongCat(PipelineAdapter):
    """LongCat-AudioDiT: one call per branch; the mean of the text reaches every block beside the cross-attention."""

    name: ClassVar[str] = "longcat"
    licence: ClassVar[str] = "MIT"
    pipeline: ClassVar[str] = "LongCatAudioDiTPipeline"
    source: ClassVar[str] = "ruixiangma/LongCat-AudioDiT-1B-Diffusers"
    order: ClassVar[tuple[Literal["cond", "uncond"], ...]] = ("cond", "uncond")
    text_kwargs: ClassVar[tuple[str, ...]] = ("encoder_hidden_states", "encoder_attention_mask")
    text_elsewhere: ClassVar[str] = "the mean of the text, in the AdaLN of every block"
    batched: ClassVar[tuple[int | str, ...]] = (
        *("hidden_states", *text_kwargs),
        *("timestep", "attention_mask", "latent_cond"),
    )

    def __init__(self, pipe: Any) -> None:
        super().__init__(pipe)
        ignore_padding(self.pipe.transformer)

    def sample_rate(self) -> int:
        """The decoder's, under a name of its own."""
        return int(self.pipe.sample_rate)

    def find_layers(self) -> tuple[Layer, ...]:
        """Every block has one cross-attention."""
        network = self.pipe.transformer
        return stack(network, "blocks", "cross_attn", network.config.dit_dim)

    def find_defaults(self) -> Defaults:
        """Steps and guidance are the pipeline's; it would guess a length from the letters of the prompt."""
        return Defaults(seconds=10.0, steps=16, guidance=4.0)

    def limit(self) -> float:
        """The length at which the pipeline cuts."""
        return float(self.pipe.max_wav_duration)

    def tokens(self, text: str) -> int:
        """UMT5 tokens of what the pipeline makes of a prompt."""
        return count_tokens(self.pipe.tokenizer, _normalize_text(text), self.most)

    def unread(self, text: str) -> str:
        """What is behind the limit of what the pipeline makes of a prompt."""
        return super().unread(_normalize_text(text))

    @property
    def most(self) -> int:
        """The tokenizer's limit; one beyond 32768 is none to the pipeline."""
        limit = super().most
        return limit if limit <= 32768 else 512

    def places(self, text: str, word: str) -> tuple[str, tuple[int, ...]]:
        """Tokens of the word in what the pipeline makes of the prompt."""
        return super().places(_normalize_text(text), _normalize_text(word))

    def locate(self, args: Sequence[Any], kwargs: Mapping[str, Any], rows: int) -> Call:
        """Calls of the two branches differ in their text alone: the null text is zeros, an encoded one never is."""
        branch = "cond" if bool(kwargs["encoder_hidden_states"].any()) else "uncond"
        return evolve(super().locate(args, kwargs, rows), branches={branch: slice(0, rows)})

    def arguments(self, batch: Batch) -> dict[str, Any]:
        """The length alone."""
        return {"audio_duration_s": batch.seconds}

    def waveform(self, latents: Tensor) -> Tensor:
        """Latents [rows, frames, channels] through the decoder, which wants channels first."""
        return super().waveform(latents.transpose(1, 2))
