"""From a checkpoint to a pipeline folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import torch
from diffusers import StableAudioPipeline

from tada_etude.scheduler import EtudeScheduler
from tada_etude.training.config import TrainConfig
from tada_etude.training.data import load_dataset
from tada_etude.training.network import build_network, read_tokenizer

SIGMAS: Final = (0.05, 60.0)
"""Noise levels, relative to the signal, at which sampling ends and begins."""


def export(folder: Path, destination: Path) -> None:
    """Write the averaged weights of `folder`'s checkpoint as a StableAudioPipeline folder.

    Weights are stored in float16 and load as float32: diffusers does that by default, transformers because the text
    encoder's config.json says so.

    Raises FileNotFoundError where the folder has no checkpoint.
    """
    stored = torch.load(folder / "checkpoint.pt", weights_only=True)
    config = TrainConfig(**stored["config"])
    dataset = load_dataset(config, folder)
    tokenizer = read_tokenizer(stored["tokenizer"], config)
    network = build_network(config, dataset.latents.shape[2], tokenizer)
    network.modules().load_state_dict(stored["average"])
    scheduler = EtudeScheduler(
        sigma_min=SIGMAS[0], sigma_max=SIGMAS[1], sigma_data=1.0, sigma_schedule="exponential",
        prediction_type="v_prediction",
    )  # fmt: skip
    pipeline = StableAudioPipeline(
        vae=dataset.decoder,
        text_encoder=network.text_encoder.half(),
        projection_model=network.projection_model.half(),
        tokenizer=network.tokenizer,
        transformer=network.transformer.half(),
        scheduler=scheduler,
    )
    pipeline.save_pretrained(destination)
    _edit(destination / "model_index.json", vae=["tada_etude.decoder", "EtudeDecoder"])
    _edit(destination / "model_index.json", scheduler=["tada_etude.scheduler", "EtudeScheduler"])
    _edit(destination / "text_encoder" / "config.json", dtype="float32")


def _edit(path: Path, **changes: object) -> None:
    content = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
