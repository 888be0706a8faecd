"""Everything that decides the outcome of a training run."""

from __future__ import annotations

import attrs


@attrs.frozen
class TrainConfig:
    """The defaults are the recipe of the weights that ship with the package.

    `clips` are synthesised from seeds 0, 1, ...; the schedule of the learning rate is a warm-up over `warmup` steps to
    `rate` and a cosine down to 1 % at `steps`, so that it depends on no clock. `null` is the share of conditionings
    that are zeroed for guidance, `distraction` that of captions with a word that means nothing. The first `listen`
    steps teach sound; then the text path is drawn anew and a share `noisiest` of the times goes to the noise levels at
    which the text decides; until `attend` its attention stays as drawn, so that words cannot be shut out before their
    values are learned. `half` computes in bfloat16 with float32 weights. A checkpoint is written every
    `checkpoint_seconds`.
    """

    clips: int = 14000
    seed: int = 0
    steps: int = 10000
    listen: int = 3560
    attend: int = 5500
    noisiest: float = 0.4
    batch: int = 32
    rate: float = 1.5e-3
    warmup: int = 300
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema: float = 0.999
    null: float = 0.1
    distraction: float = 0.15
    half: bool = True
    layers: int = 8
    heads: int = 6
    head_width: int = 32
    text_width: int = 128
    text_layers: int = 2
    vocabulary: int = 800
    text_length: int = 32
    channels: int = 80
    fit_clips: int = 1500
    checkpoint_seconds: float = 150.0

    @classmethod
    def tiny(cls) -> TrainConfig:
        """A run of seconds that exercises every part: for tests, of no use for music."""
        return cls(
            clips=12, steps=6, listen=2, attend=4, batch=4, warmup=2, half=False, layers=2, heads=1, text_width=32,
            text_layers=1, vocabulary=320, channels=16, fit_clips=8, checkpoint_seconds=0.0,
        )  # fmt: skip
