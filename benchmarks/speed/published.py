"""Models of published size with random weights, in memory: speed and memory do not depend on what is learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tada_core.adapter import ModelAdapter
from tada_core.placement import Placement

WORDS = "<pad> <unk> a calm tune fast loud piano drums with for the evening"


def tokenizer() -> Any:
    """A tokenizer of a few words; how long a prompt is matters, which words are in it does not."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {word: index for index, word in enumerate(WORDS.split())}
    made = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", unk_token="<unk>", model_max_length=128, padding_side="right"
    )


@contextmanager
def drawn(device: str, dtype: torch.dtype) -> Iterator[None]:
    """Parameters are made where they are needed and in their type: no detour over the CPU in full precision."""
    before = torch.get_default_dtype()
    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            yield
    finally:
        torch.set_default_dtype(before)


def t5(**sizes: int) -> Any:
    """An encoder of T5-base's size."""
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(T5Config(**{"d_model": 768, "d_ff": 3072, "num_layers": 12, "num_heads": 12} | sizes))


def ace_step(device: str, dtype: torch.dtype) -> ModelAdapter:
    """ACE-Step v1 3.5B."""
    from diffusers import AutoencoderDC
    from transformers import UMT5Config, UMT5EncoderModel

    from tada_ace_step.adapter import AceStep
    from tada_ace_step.pipeline import AceStepPipeline, Options
    from tada_ace_step.text import TextEncoder
    from tada_ace_step.transformer import AceStepTransformer
    from tada_ace_step.vocoder import MusicVocoder

    sides = {
        f"{side}_{name}": value
        for side in ("encoder", "decoder")
        for name, value in {
            "block_types": ("ResBlock", "ResBlock", "ResBlock", "EfficientViTBlock"),
            "block_out_channels": (128, 256, 512, 1024),
            "layers_per_block": (3, 3, 3, 3),
            "qkv_multiscales": ((), (), (5,), (5,)),
        }.items()
    }
    with drawn(device, dtype):
        umt5 = UMT5Config(vocab_size=256384, d_model=768, d_ff=2048, num_layers=12, num_heads=12, d_kv=64)
        dcae = AutoencoderDC(
            in_channels=2, latent_channels=8, upsample_block_type="interpolate", downsample_block_type="Conv", **sides
        )
        text = TextEncoder(tokenizer(), UMT5EncoderModel(umt5).eval())
        transformer, vocoder = AceStepTransformer().eval(), MusicVocoder().eval()
    return AceStep(
        AceStepPipeline(text, transformer, dcae.decoder.eval(), vocoder, Path("none"), Options()), Placement(device)
    )


def stable_audio_open(device: str, dtype: torch.dtype) -> ModelAdapter:
    """Stable Audio Open 1.0."""
    from diffusers import (
        AutoencoderOobleck,
        CosineDPMSolverMultistepScheduler,
        StableAudioDiTModel,
        StableAudioPipeline,
    )
    from diffusers.pipelines.stable_audio import StableAudioProjectionModel

    from tada_stable_audio.adapter import StableAudioOpen

    with drawn(device, dtype):
        parts = {
            "vae": AutoencoderOobleck(),
            "text_encoder": t5(),
            "transformer": StableAudioDiTModel(),
            "projection_model": StableAudioProjectionModel(768, 768, min_value=0, max_value=512),
        }
    scheduler = CosineDPMSolverMultistepScheduler(sigma_min=0.3, sigma_max=500.0, prediction_type="v_prediction")
    pipe = StableAudioPipeline(tokenizer=tokenizer(), scheduler=scheduler, **parts)
    return StableAudioOpen(pipe)


def musicgen_large(device: str, dtype: torch.dtype) -> ModelAdapter:
    """MusicGen large, mono."""
    from transformers import (
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        T5Config,
    )

    from tada_musicgen.adapter import MusicGen

    text = T5Config(d_model=768, d_ff=3072, num_layers=12, num_heads=12)
    audio = EncodecConfig(
        sampling_rate=32000,
        upsampling_ratios=[8, 5, 4, 4],
        num_filters=64,
        codebook_size=2048,
        target_bandwidths=[2.2],
        use_causal_conv=False,
    )
    decoder = MusicgenDecoderConfig(hidden_size=2048, ffn_dim=8192, num_hidden_layers=48, num_attention_heads=32)
    config = MusicgenConfig(text_encoder=text.to_dict(), audio_encoder=audio.to_dict(), decoder=decoder.to_dict())
    with drawn(device, dtype):
        model = MusicgenForConditionalGeneration(config)
    return MusicGen(model, tokenizer(), Placement(device), top_k=250, temperature=1.0)


MODELS: dict[str, Callable[[str, torch.dtype], ModelAdapter]] = {
    "ace-step": ace_step,
    "stable-audio-open": stable_audio_open,
    "musicgen-large": musicgen_large,
}
