"""Stable Audio 3 with two layers: distilled (stochastic sampling) or base."""

from __future__ import annotations

from pathlib import Path

import tiny
import torch

from models import redraw


def build(folder: Path, distilled: bool = False) -> Path:
    """Save the pipeline; 4 latent frames are 1 second."""
    from diffusers import AutoencoderSAME, FlowMatchEulerDiscreteScheduler, StableAudio3DiTModel, StableAudio3Pipeline
    from diffusers.pipelines.stable_audio_3 import StableAudio3DurationEmbedder
    from transformers import T5GemmaConfig, T5GemmaEncoderModel
    from transformers.models.t5gemma import T5GemmaModuleConfig

    torch.manual_seed(0)
    module = T5GemmaModuleConfig(
        vocab_size=len(tiny.WORDS) + 2,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=8,
    )
    text = T5GemmaConfig(
        encoder=module,
        decoder=module,
        is_encoder_decoder=False,
        vocab_size=module.vocab_size,
        tie_word_embeddings=False,
    )
    network = StableAudio3DiTModel(
        io_channels=4,
        embed_dim=32,
        depth=2,
        num_heads=2,
        cond_token_dim=16,
        global_cond_dim=16,
        local_add_cond_dim=5,
        timestep_features_dim=16,
        ff_mult=1.0,
        num_memory_tokens=3,
    )
    decoder = AutoencoderSAME(
        audio_channels=2,
        patch_size=2,
        encoder_channels=16,
        encoder_c_mults=(1,),
        encoder_strides=(2,),
        encoder_transformer_depths=(1,),
        latent_dim=4,
        dim_heads=8,
        ff_mult=1,
        sampling_rate=16,
    )
    encoder = T5GemmaEncoderModel(text)
    redraw(network, encoder)
    StableAudio3Pipeline(
        vae=decoder,
        text_encoder=encoder,
        tokenizer=tiny.tokenizer(),
        duration_embedder=StableAudio3DurationEmbedder(output_dim=16, fourier_dim=8),
        transformer=network,
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, stochastic_sampling=distilled),
    ).save_pretrained(folder)
    return folder
