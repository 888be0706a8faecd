"""LongCat-AudioDiT with two layers."""

from __future__ import annotations

from pathlib import Path

import tiny
import torch

from models import redraw


def build(folder: Path) -> Path:
    """Save the pipeline; 20 latent frames are 1 second."""
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        LongCatAudioDiTPipeline,
        LongCatAudioDiTTransformer,
        LongCatAudioDiTVae,
    )
    from transformers import UMT5Config, UMT5EncoderModel

    torch.manual_seed(0)
    text = UMT5Config(
        vocab_size=len(tiny.WORDS) + 2, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2, pad_token_id=0
    )
    encoder = UMT5EncoderModel(text)
    network = LongCatAudioDiTTransformer(
        dit_dim=32, dit_depth=2, dit_heads=2, dit_text_dim=16, latent_dim=4, ff_mult=1.0
    )
    redraw(network, encoder)
    LongCatAudioDiTPipeline(
        vae=LongCatAudioDiTVae(
            channels=4,
            c_mults=[1, 2],
            strides=[2, 2],
            latent_dim=4,
            encoder_latent_dim=8,
            downsampling_ratio=4,
            sample_rate=80,
        ),
        text_encoder=encoder,
        tokenizer=tiny.tokenizer(),
        transformer=network,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0, invert_sigmas=True),
    ).save_pretrained(folder)
    return folder
