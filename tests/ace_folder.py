"""A small ACE-Step v1 checkpoint in the published layout: the golden one, with a random UMT5 beside it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import tiny
import torch
from models import redraw
from safetensors.torch import load_file

from tada_ace_step.adapter import AceStep
from tada_ace_step.pipeline import AceStepPipeline, Context, Options, contexts
from tada_core.placement import Placement

GOLDEN = Path(__file__).parent / "golden" / "ace_step_v1"


def build(folder: Path) -> Path:
    """Write the checkpoint; the text encoder has ten layers, so that weakened prompts differ."""
    from transformers import UMT5Config, UMT5EncoderModel

    shutil.copytree(GOLDEN / "checkpoint", folder, dirs_exist_ok=True)
    torch.manual_seed(0)
    tokenizer = tiny.tokenizer()
    config = UMT5Config(
        vocab_size=len(tokenizer), d_model=64, d_kv=8, d_ff=64, num_layers=10, num_heads=4, pad_token_id=0
    )
    network = UMT5EncoderModel(config)
    redraw(network)
    network.save_pretrained(folder / "umt5-base")
    tokenizer.save_pretrained(folder / "umt5-base")
    return folder


class GoldenPipeline(AceStepPipeline):
    """The pipeline on recorded noise; the prompts "own" and "other" stand for recorded states."""

    def encode(self, texts: Any, lyrics: str = "") -> dict[str, Context]:
        made = [contexts(self.transformer, *recorded(text), self.options.guidance) for text in texts]
        return {branch: tuple(torch.cat([one[branch][i] for one in made]) for i in (0, 1)) for branch in made[0]}

    def sample(self, noise: Any, branches: Any, steps: int, scale: float) -> Any:
        return super().sample(load_file(GOLDEN / "E_interventions.safetensors")["in.noise"], branches, steps, scale)


def recorded(name: str) -> tuple[torch.Tensor, ...]:
    """Text states and mask, speaker, lyrics and mask of set E."""
    tensors = load_file(GOLDEN / "E_interventions.safetensors")
    prefix = "in" if name == "own" else name
    return tuple(tensors[f"{prefix}.{key}"] for key in ("text", "text_mask", "speaker", "lyric_ids", "lyric_mask"))


def golden_model(folder: Path, options: Options) -> AceStep:
    """The adapter over `GoldenPipeline`."""
    return AceStep(GoldenPipeline.read(folder, torch.float32, options, None), Placement("cpu"))
