"""MusicGen with two layers; 20 code frames are 1 second."""

from __future__ import annotations

from pathlib import Path

import tiny
import torch

from models import redraw


def build(folder: Path, stereo: bool = False) -> Path:
    """Save the model and its tokenizer.

    Args:
        folder: where to.
        stereo: two sets of codebooks, as the stereo checkpoints have.
    """
    from transformers import (
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        T5Config,
    )

    torch.manual_seed(0)
    config = MusicgenConfig(
        text_encoder=T5Config(
            vocab_size=len(tiny.WORDS) + 2, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2
        ).to_dict(),
        audio_encoder=EncodecConfig(
            sampling_rate=80,
            upsampling_ratios=[2, 2],
            num_filters=4,
            hidden_size=8,
            codebook_size=32,
            codebook_dim=8,
            num_lstm_layers=1,
            target_bandwidths=[0.3],
        ).to_dict(),
        decoder=MusicgenDecoderConfig(
            vocab_size=32,
            pad_token_id=32,
            bos_token_id=32,
            num_hidden_layers=2,
            ffn_dim=32,
            num_attention_heads=2,
            hidden_size=32,
            num_codebooks=6 if stereo else 3,
            audio_channels=1 + stereo,
        ).to_dict(),
    )
    model = MusicgenForConditionalGeneration(config)
    redraw(model.text_encoder, model.enc_to_dec_proj, model.decoder)
    for table in model.decoder.model.decoder.embed_tokens:
        torch.nn.init.normal_(table.weight)
    # A fresh EnCodec's codebooks are all zero: every clip would be the same.
    for layer in model.audio_encoder.quantizer.layers:
        torch.nn.init.normal_(layer.codebook.embed)
    model.generation_config.pad_token_id = model.generation_config.decoder_start_token_id = 32
    model.save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder
