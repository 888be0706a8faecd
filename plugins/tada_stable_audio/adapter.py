"""Stable Audio Open and Stable Audio 3 behind the adapter contract."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from tada_core.adapter import Batch, Defaults
from tada_core.pipelines import PipelineAdapter, stack
from tada_core.sites import Layer
from tada_stable_audio import LICENCE


class StableAudioOpen(PipelineAdapter):
    """Stable Audio Open: always denoises its full length, and cuts the clip afterwards."""

    name: ClassVar[str] = "stable-audio-open"
    licence: ClassVar[str] = LICENCE
    pipeline: ClassVar[str] = "StableAudioPipeline"
    source: ClassVar[str] = "stabilityai/stable-audio-open-1.0"
    batched: ClassVar[tuple[int | str, ...]] = (0, "encoder_hidden_states", "global_hidden_states")

    def find_layers(self) -> tuple[Layer, ...]:
        """Every block has one cross-attention; the network puts one global token before the frames."""
        network = self.pipe.transformer
        return stack(network, "transformer_blocks", "attn2", network.inner_dim, prefix=1)

    def find_defaults(self) -> Defaults:
        """Full length; steps and guidance are the pipeline's."""
        return Defaults(seconds=self.limit(), steps=100, guidance=7.0)

    def limit(self) -> float:
        """The length that every run denoises."""
        return float(self.pipe.transformer.config.sample_size * self.pipe.vae.hop_length / self.rate)

    def arguments(self, batch: Batch) -> dict[str, Any]:
        """The length alone."""
        return {"audio_end_in_s": batch.seconds}


class StableAudio3(PipelineAdapter):
    """Stable Audio 3: keys and values of the text come out of one fused projection, so these slots do not exist."""

    name: ClassVar[str] = "stable-audio-3"
    licence: ClassVar[str] = LICENCE
    pipeline: ClassVar[str] = "StableAudio3Pipeline"
    source: ClassVar[str] = "stabilityai/stable-audio-3-medium"
    text_kwargs: ClassVar[tuple[str, ...]] = ("encoder_hidden_states", "encoder_attention_mask")
    batched: ClassVar[tuple[int | str, ...]] = (0, 1, *text_kwargs, "global_hidden_states")

    @property
    def most(self) -> int:
        """The tokenizer's limit, and never more than 256, as the pipeline has it."""
        return min(super().most, 256)

    def find_layers(self) -> tuple[Layer, ...]:
        """Every block has one cross-attention; memory tokens come before the frames."""
        config = self.pipe.transformer.config
        how = {"text_args": ("context",), "k": "", "v": "", "prefix": config.num_memory_tokens}
        return stack(self.pipe.transformer, "transformer_blocks", "cross_attn", config.embed_dim, **how)

    def find_defaults(self) -> Defaults:
        """The distilled checkpoint, known by its scheduler, takes few steps and no guidance."""
        distilled = self.pipe.scheduler.config.stochastic_sampling
        return Defaults(seconds=30.0, steps=8 if distilled else 100, guidance=1.0 if distilled else 7.0)

    def limit(self) -> float:
        """The largest length its embedding tells apart."""
        return float(self.pipe.duration_embedder.config.max_val)

    def arguments(self, batch: Batch) -> dict[str, Any]:
        """The length alone."""
        return {"duration": batch.seconds}

    def waveform(self, latents: Tensor) -> Tensor:
        """Clipped to full scale, as the pipeline does."""
        return super().waveform(latents).clamp(-1.0, 1.0)
