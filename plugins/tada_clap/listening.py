"""What the three metrics have in common: the options, and the network behind them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from attrs import field, frozen, validators

from tada_clap import checkpoint, words
from tada_core.metric import Metric

if TYPE_CHECKING:
    from tada_clap.encoder import Encoder

Array = npt.NDArray[np.float64]
Item = TypeVar("Item")
Kind = Literal["alignment", "preservation", "quality"]


@frozen
class Listening(Metric):
    """A metric that listens through CLAP. Those with equal options share one network and what it heard.

    Attributes:
        weights: file of laion-clap's (or a folder that holds it under its published name), or safetensors in its
            names; by default what the environment variable TADA_CLAP names, else the published one from the hub.
        checksum: SHA-256 the file must have, or ""; the published one is checked in any case where it is downloaded.
        tokenizer: folder or hub id of RoBERTa's; by default TADA_CLAP_TOKENIZER, else "roberta-base".
        device: where the network runs, such as "cuda"; "" is a CUDA device where there is one, else the CPU.
        batch: windows of ten seconds that run together; a clip of 30 s has four.
        memory: gigabytes of stages kept for later; a window takes 2.1 MB.
    """

    licence: ClassVar[str] = "CC0-1.0"

    weights: str = field(factory=lambda: os.environ.get(checkpoint.VARIABLE) or checkpoint.REPOSITORY)
    checksum: str = ""
    tokenizer: str = field(factory=lambda: os.environ.get(words.VARIABLE) or words.SOURCE)
    device: str = ""
    batch: int = field(default=16, validator=validators.ge(1))
    memory: float = field(default=1.0, validator=validators.ge(0.0))

    @property
    def encoder(self) -> Encoder:
        """The network, loaded at the first use. Raises CheckpointError where the weights are not to be had."""
        from tada_clap.encoder import encoder

        return encoder(self.weights, self.checksum, self.tokenizer, self.device, self.batch, self.memory)

    def groups(self, items: Sequence[Item]) -> Iterator[Sequence[Item]]:
        """Items that are heard together, so that windows of several clips fill a batch."""
        return (items[start : start + self.batch] for start in range(0, len(items), self.batch))
