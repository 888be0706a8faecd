"""A small AudioLDM2 whose layers have several widths: cross-attention at both depths of its UNet."""

from __future__ import annotations

from pathlib import Path

import torch
from attrs import evolve
from models import audioldm2, redraw

from tada_audioldm2.adapter import AudioLDM2


def build(folder: Path) -> AudioLDM2:
    """Save and load it, with a quick run as its default."""
    from diffusers.pipelines.audioldm2 import AudioLDM2UNet2DConditionModel as Network

    audioldm2.build(folder)
    config = Network.load_config(folder / "unet")
    both = {"down_block_types": ["CrossAttnDownBlock2D"] * 2, "up_block_types": ["CrossAttnUpBlock2D"] * 2}
    torch.manual_seed(0)
    network = Network.from_config({**config, **both})
    redraw(network)
    network.save_pretrained(folder / "unet")
    model = AudioLDM2.load(str(folder))
    model.defaults = evolve(model.defaults, seconds=0.64, steps=2)
    return model
