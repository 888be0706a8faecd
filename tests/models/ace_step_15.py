"""ACE-Step 1.5 with two layers: base or turbo."""

from __future__ import annotations

from pathlib import Path

import tiny
import torch

from models import redraw


def build(folder: Path, turbo: bool = False) -> Path:
    """Save the pipeline; 5 latent frames are 1 second."""
    from diffusers import (
        AceStepPipeline,
        AceStepTransformer1DModel,
        FlowMatchEulerDiscreteScheduler,
    )
    from diffusers.pipelines.ace_step import AceStepConditionEncoder
    from transformers import Qwen3Config, Qwen3Model

    torch.manual_seed(0)
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8}
    size = {"hidden_size": 16, "intermediate_size": 16, **heads}
    encoder = Qwen3Model(Qwen3Config(vocab_size=len(tiny.WORDS) + 2, num_hidden_layers=2, **size))
    network = AceStepTransformer1DModel(
        num_hidden_layers=2, in_channels=12, audio_acoustic_hidden_dim=4, sliding_window=4, is_turbo=turbo, **size
    )
    condition = AceStepConditionEncoder(
        text_hidden_dim=16,
        timbre_hidden_dim=4,
        num_lyric_encoder_hidden_layers=2,
        num_timbre_encoder_hidden_layers=2,
        sliding_window=4,
        **size,
    )
    torch.nn.init.normal_(condition.silence_latent)
    redraw(network, condition, encoder)
    AceStepPipeline(
        vae=tiny.oobleck(channels=2, rate=40),
        text_encoder=encoder,
        tokenizer=tiny.tokenizer(),
        transformer=network,
        condition_encoder=condition,
        scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
    ).save_pretrained(folder)
    return folder
