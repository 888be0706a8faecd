"""A small random instance of the real Stable Audio classes, for tests of the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tada_core.adapter import Batch, Defaults
from tada_core.pipelines import PipelineAdapter, stack
from tada_core.sites import Layer

WORDS = (
    *("a", "the", "calm", "evening", "fast", "slow", "bright", "dark", "song", "tune"),
    *("piano", "organ", "drums", "happy", "sad", "loud", "soft"),
)


class Tiny(PipelineAdapter):
    """Stable Audio's own pipeline class at toy size."""

    name = "tiny"
    licence = "Apache-2.0"
    pipeline = "StableAudioPipeline"
    batched = (0, "encoder_hidden_states", "global_hidden_states")

    def find_layers(self) -> tuple[Layer, ...]:
        return stack(self.pipe.transformer, "transformer_blocks", "attn2", self.pipe.transformer.inner_dim, prefix=1)

    def find_defaults(self) -> Defaults:
        config = self.pipe.transformer.config
        seconds = config.sample_size * self.pipe.vae.hop_length / self.pipe.vae.config.sampling_rate
        return Defaults(seconds=seconds, steps=4, guidance=3.0, batch=8)

    def arguments(self, batch: Batch) -> dict[str, Any]:
        return {"audio_end_in_s": batch.seconds}


def tokenizer() -> Any:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: index for index, word in enumerate(["<pad>", "<unk>", *WORDS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", unk_token="<unk>", model_max_length=12, padding_side="right"
    )


def oobleck(channels: int, rate: int) -> Any:
    """A random decoder of 4 latent channels, 8 samples a frame."""
    from diffusers import AutoencoderOobleck

    return AutoencoderOobleck(
        encoder_hidden_size=8,
        downsampling_ratios=[2, 4],
        channel_multiples=[1, 2],
        decoder_channels=8,
        decoder_input_channels=4,
        audio_channels=channels,
        sampling_rate=rate,
    )


def build_pipeline(layers: int = 3, seed: int = 0) -> Any:
    """A random pipeline whose every path is alive (nothing zero-initialised)."""
    from diffusers import EDMDPMSolverMultistepScheduler, StableAudioDiTModel, StableAudioPipeline
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel
    from transformers import T5Config, T5EncoderModel

    torch.manual_seed(seed)
    text = T5Config(
        vocab_size=len(WORDS) + 2, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, tie_word_embeddings=False
    )
    network = StableAudioDiTModel(
        sample_size=12,
        in_channels=4,
        out_channels=4,
        num_layers=layers,
        attention_head_dim=16,
        num_attention_heads=2,
        num_key_value_attention_heads=2,
        cross_attention_dim=16,
        time_proj_dim=16,
        global_states_input_dim=32,
        cross_attention_input_dim=16,
    )
    pipe = StableAudioPipeline(
        vae=oobleck(channels=1, rate=100),
        text_encoder=T5EncoderModel(text),
        projection_model=StableAudioProjectionModel(
            text_encoder_dim=16, conditioning_dim=16, min_value=0, max_value=64
        ),
        tokenizer=tokenizer(),
        transformer=network,
        scheduler=EDMDPMSolverMultistepScheduler(
            sigma_min=0.3, sigma_max=20.0, solver_order=2, prediction_type="v_prediction", sigma_data=1.0
        ),
    )
    for part in (network, pipe.projection_model, pipe.text_encoder):
        for parameter in part.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=1.2 / parameter.shape[-1] ** 0.5)
    return pipe


def build(folder: Path, dtype: torch.dtype = torch.float32, **options: Any) -> Tiny:
    """Save a random pipeline as a real folder and load it through the public door."""
    if not (folder / "model_index.json").exists():
        build_pipeline(**options).save_pretrained(folder)
    return Tiny.load(str(folder), dtype=dtype)
