"""What is trained and how: frozen values whose defaults are the published recipe (TADA sect. 4 and its code)."""

from __future__ import annotations

from typing import Literal, get_args

from attrs import field, frozen, validators

from tada_core import Settings
from tada_core.convert import ints
from tada_core.errors import SpecError

Selection = Literal["batch", "token"]
"""batch: the k largest per token on average, over the whole batch (BatchTopK); token: k of every token (TopK)."""

Centre = Literal["mean", "median"]
"""What the decoder's bias starts from: the mean of the first batch, or its geometric median."""

_above_zero = validators.gt(0.0)
_at_least_one = validators.ge(1)


@frozen
class Spec:
    """One autoencoder to train (published: layer 6 with 2, 32 and layer 7 with 4, 64).

    Attributes:
        layer: index of the layer whose output it reads.
        expansion: features per feature of the layer, m.
        k: features kept per token.
    """

    layer: int
    expansion: int = field(validator=_at_least_one)
    k: int = field(validator=_at_least_one)

    def features(self, width: int) -> int:
        """Features of the autoencoder of a layer `width` wide.

        Raises:
            SpecError: k is more than that.
        """
        features = self.expansion * width
        if self.k > features:
            raise SpecError(f"layer {self.layer} gives {features} features, fewer than k = {self.k}; ask for fewer")
        return features


@frozen
class TrainerSettings:
    """The recipe of one autoencoder.

    Attributes:
        rate: learning rate of Adam; at small scale 3e-3 finds far more.
        warmup: steps over which the rate grows linearly from zero.
        clip: largest norm of the gradient.
        batch: tokens per step.
        selection: see `Selection`; whichever it is trained with, it is used per token.
        auxiliary: weight of the AuxK loss; 0 leaves it out.
        dead_after: a feature is dead that did not fire for so many tokens.
        dense_above: a feature is dense that fires on a larger share of tokens.
        encoder_scale: the encoder starts as the decoder's rows times this.
        centre: see `Centre`.
        seed: of the decoder's first rows.
        device: where it is trained.
    """

    rate: float = field(default=3e-5, validator=_above_zero)
    warmup: int = field(default=1000, validator=validators.ge(0))
    clip: float = field(default=1.0, validator=_above_zero)
    batch: int = field(default=4096, validator=validators.ge(2))
    selection: Selection = field(default="batch", validator=validators.in_(get_args(Selection)))
    auxiliary: float = field(default=1 / 32, validator=validators.ge(0.0))
    dead_after: int = field(default=10_000_000, validator=_at_least_one)
    dense_above: float = field(default=0.1, validator=_above_zero)
    encoder_scale: float = field(default=0.58, validator=_above_zero)
    centre: Centre = field(default="mean", validator=validators.in_(get_args(Centre)))
    seed: int = 0
    device: str = "cpu"


@frozen
class StreamSettings:
    """Which clips are made, and what is read of them.

    Attributes:
        every: every n-th step is read, from the first on (published: the 6th of 30).
        seeds: one clip per prompt and seed; a seed is an epoch on noise of its own (published: 10 or 15 epochs over
            the same clips).
        buffer: tokens held for shuffling, per layer.
        seed: of the order of prompts and tokens.
        clips: clips made at a time (None: the model's batch).
        settings: of every clip (published: 10 seconds, 30 steps); what is left out is the model's default.
    """

    every: int = field(default=6, validator=_at_least_one)
    seeds: tuple[int, ...] = field(default=tuple(range(10)), converter=ints, validator=validators.min_len(1))
    buffer: int = field(default=65536, validator=_at_least_one)
    seed: int = 0
    clips: int | None = field(default=None, validator=validators.optional(_at_least_one))
    settings: Settings = field(factory=Settings)


@frozen
class TrainSettings:
    """A whole training.

    Attributes:
        trainer, stream: see there.
        save_every: generation batches between two checkpoints.
    """

    trainer: TrainerSettings = field(factory=TrainerSettings)
    stream: StreamSettings = field(factory=StreamSettings)
    save_every: int = field(default=50, validator=_at_least_one)

    def __attrs_post_init__(self) -> None:
        if self.stream.buffer < self.trainer.batch:
            raise SpecError(
                f"a buffer of {self.stream.buffer} tokens gives no batch of {self.trainer.batch}; "
                "make the buffer several batches large"
            )
