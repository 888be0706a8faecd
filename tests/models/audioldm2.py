"""AudioLDM2 with one group of attentions at every depth of its UNet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tiny
import torch

from models import redraw


def build(folder: Path, depth: int = 1, group: tuple[int | None, ...] = (None, 16, 24, None)) -> Path:
    """Save the pipeline as it was published: its index names the language model without a head.

    Args:
        folder: where to.
        depth: transformer blocks in each attention (1: base, 2: large).
        group: what each attention of a group reads (None: the spectrogram itself); base has the first three alone.
    """
    from diffusers import AudioLDM2Pipeline, AutoencoderKL, DDIMScheduler
    from diffusers.pipelines.audioldm2 import AudioLDM2ProjectionModel, AudioLDM2UNet2DConditionModel
    from transformers import (
        ClapFeatureExtractor,
        GPT2Config,
        GPT2LMHeadModel,
        SpeechT5HifiGan,
        SpeechT5HifiGanConfig,
        T5Config,
        T5EncoderModel,
    )

    torch.manual_seed(0)
    network = AudioLDM2UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=(list(group), list(group)),
        transformer_layers_per_block=depth,
        attention_head_dim=2,
    )
    second = tokenizer_2()
    pipe = AudioLDM2Pipeline(
        vae=AutoencoderKL(
            in_channels=1,
            out_channels=1,
            block_out_channels=(8, 8),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            norm_num_groups=4,
            latent_channels=4,
            layers_per_block=1,
        ),
        text_encoder=clap(),
        text_encoder_2=T5EncoderModel(
            T5Config(vocab_size=len(second), d_model=24, d_kv=8, d_ff=16, num_layers=2, num_heads=2)
        ),
        projection_model=AudioLDM2ProjectionModel(text_encoder_dim=8, text_encoder_1_dim=24, langauge_model_dim=16),
        language_model=GPT2LMHeadModel(
            GPT2Config(vocab_size=20, n_embd=16, n_layer=2, n_head=2, n_positions=64, max_new_tokens=8)
        ),
        tokenizer=tokenizer(),
        tokenizer_2=second,
        feature_extractor=ClapFeatureExtractor(feature_size=8),
        unet=network,
        scheduler=DDIMScheduler(beta_start=0.0015, beta_end=0.0195, beta_schedule="scaled_linear", clip_sample=False),
        vocoder=SpeechT5HifiGan(
            SpeechT5HifiGanConfig(
                model_in_dim=8,
                sampling_rate=100,
                upsample_initial_channel=8,
                upsample_rates=[2, 2],
                upsample_kernel_sizes=[4, 4],
                resblock_kernel_sizes=[3],
                resblock_dilation_sizes=[[1]],
                normalize_before=False,
            )
        ),
    )
    redraw(network, pipe.text_encoder, pipe.text_encoder_2, pipe.projection_model, pipe.language_model)
    pipe.save_pretrained(folder)
    index = folder / "model_index.json"
    published = json.loads(index.read_text()) | {"language_model": ["transformers", "GPT2Model"]}
    index.write_text(json.dumps(published, indent=2))
    return folder


def clap() -> Any:
    """The joint audio and text model; only its text side is used."""
    from transformers import ClapConfig, ClapModel

    return ClapModel(
        ClapConfig(
            text_config={
                "vocab_size": 60,
                "hidden_size": 8,
                "intermediate_size": 16,
                "num_hidden_layers": 1,
                "num_attention_heads": 2,
                "max_position_embeddings": 40,
            },
            audio_config={
                "spec_size": 8,
                "window_size": 4,
                "num_mel_bins": 8,
                "depths": [1, 1],
                "num_attention_heads": [1, 1],
                "patch_embeds_hidden_size": 8,
                "hidden_size": 16,
                "num_classes": 2,
            },
            projection_dim=8,
        )
    )


def tokenizer() -> Any:
    """A tokenizer of letters, of CLAP's class."""
    from transformers import RobertaTokenizer

    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", *"abcdefghijklmnopqrstuvwxyz"]
    return RobertaTokenizer(vocab={token: at for at, token in enumerate(vocabulary)}, merges=[], model_max_length=32)


def tokenizer_2() -> Any:
    """A tokenizer of words, of T5's class."""
    from transformers import T5Tokenizer

    specials = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    words = [(f"▁{word}", -1.0 - place) for place, word in enumerate(tiny.WORDS)]
    return T5Tokenizer(vocab=specials + words, extra_ids=0, model_max_length=16)
