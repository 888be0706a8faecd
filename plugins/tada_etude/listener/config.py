"""Everything that decides the outcome of a training run of the listener."""

from __future__ import annotations

from collections.abc import Iterable

import attrs


def _tuple(values: Iterable[int]) -> tuple[int, ...]:
    return tuple(values)


@attrs.frozen
class ListenerConfig:
    """The defaults are the recipe of the weights that ship with the package.

    `clips` are synthesised from seeds 0, 1, ...; every `decoded`-th of them goes through etude's decoder and back, and
    a share `projected` of the others is heard as etude's code keeps it. A batch holds `batch` clips, a share `worsened`
    of them worsened by a known severity. The rate warms up over `warmup` steps and falls on a cosine to 1 % at `steps`.
    `widths` are the channels of the four stages, `width` is that of the embeddings. `severity_weight` weighs the loss
    of the quality head. A checkpoint is written every `checkpoint_seconds`.
    """

    clips: int = 1792
    decoded: int = 4
    seed: int = 0
    steps: int = 1080
    batch: int = 48
    rate: float = 2e-3
    warmup: int = 100
    weight_decay: float = 0.02
    clip_norm: float = 1.0
    projected: float = 0.5
    worsened: float = 0.4
    severity_weight: float = 10.0
    widths: tuple[int, ...] = attrs.field(default=(32, 64, 128, 256), converter=_tuple)
    width: int = 128
    text_width: int = 128
    text_layers: int = 1
    text_length: int = 32
    checkpoint_seconds: float = 120.0

    @classmethod
    def tiny(cls) -> ListenerConfig:
        """A run of seconds that exercises every part: for tests, of no use for listening."""
        return cls(
            clips=8, steps=6, batch=4, warmup=2, widths=(4, 4, 8, 8), width=16, text_width=16,
            checkpoint_seconds=0.0,
        )  # fmt: skip
