"""A checkpoint is loaded whole or not at all: a tensor that it lacks would be drawn at random."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from models.cases import SMALL, Shelf
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tada_core.errors import CheckpointError

LACKING = [
    ("stable-audio-open", "text_encoder/model.safetensors", "encoder.block.1.layer.0.SelfAttention.k.weight"),
    ("stable-audio-open", "transformer/diffusion_pytorch_model.safetensors", "transformer_blocks.0.ff.net.2.weight"),
    ("ace-step-1.5", "condition_encoder/diffusion_pytorch_model.safetensors", ""),
    ("longcat", "vae/diffusion_pytorch_model.safetensors", ""),
    ("audioldm2", "language_model/model.safetensors", "transformer.h.1.attn.c_proj.bias"),
    ("audioldm2", "vocoder/model.safetensors", ""),
    ("ace-step", "umt5-base/model.safetensors", "encoder.block.5.layer.0.SelfAttention.o.weight"),
    ("ace-step", "music_dcae_f8c8/diffusion_pytorch_model.safetensors", "decoder.up_blocks.3.0.conv_out.norm.weight"),
    ("ace-step", "ace_step_transformer/diffusion_pytorch_model.safetensors", "genre_embedder.weight"),
    ("musicgen", "model.safetensors", "decoder.lm_heads.0.weight"),
]


def without(folder: Path, file: str, tensor: str, to: Path) -> str:
    """A copy of a folder whose file lacks a tensor (the first one for ""); its name."""
    shutil.copytree(folder, to, copy_function=os.link)
    tensors = load_file(folder / file)
    with safe_open(folder / file, "pt") as opened:
        about = opened.metadata()
    name = tensor or min(tensors)
    del tensors[name]
    (to / file).unlink()
    save_file(tensors, to / file, metadata=about)
    return name


@pytest.mark.parametrize(("model", "file", "tensor"), LACKING)
def test_a_checkpoint_that_lacks_a_tensor_is_refused(
    shelf: Shelf, tmp_path: Path, model: str, file: str, tensor: str
) -> None:
    name, case = without(shelf.folder(model), file, tensor, tmp_path / "part"), SMALL[model]
    with pytest.raises(CheckpointError) as refused:
        case.adapter.load(str(tmp_path / "part"), **case.load)
    assert name in str(refused.value)


def test_the_libraries_are_left_as_they_were(shelf: Shelf, tmp_path: Path) -> None:
    """Who loads with them directly gets what they give, before and after."""
    from transformers import T5EncoderModel

    model, file, tensor = LACKING[0]
    without(shelf.folder(model), file, tensor, tmp_path / "part")
    for _ in range(2):
        T5EncoderModel.from_pretrained(tmp_path / "part" / "text_encoder")
        with pytest.raises(CheckpointError, match="lacks 1 of the tensors of T5EncoderModel"):
            SMALL[model].adapter.load(str(tmp_path / "part"))
