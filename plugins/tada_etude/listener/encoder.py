"""The network behind the metrics: a clip passes through it once, whoever asks for what it gives."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import torch
from torch import Tensor

from tada_core.errors import SpecError
from tada_core.resample import resample
from tada_etude.listener.export import Trained, read
from tada_etude.listener.front import RATE, cut, silent, spectra
from tada_etude.listener.words import check, numbers

if TYPE_CHECKING:
    from tada_core.audio import Audio

SHORTEST: Final = 0.5
"""Seconds a clip must last."""

ROOM: Final = 400
"""Windows that are kept, 0.25 MB each."""


@attrs.frozen(eq=False)
class Heard:
    """What is heard in a clip.

    Attributes:
        embedding: [windows, width], each of unit length; zeros where the clip is silent.
        severity: of the damage, [windows], 0 to 1; 1 where the clip is silent.
        stages: what each stage gives, [windows, channels, bands, frames].
    """

    embedding: Tensor
    severity: Tensor
    stages: tuple[Tensor, ...]


class Encoder:
    """A trained listener, with what it heard lately.

    Attributes:
        passes: windows that went through the audio tower so far.
    """

    def __init__(self, trained: Trained) -> None:
        self.trained = trained
        self.held: OrderedDict[bytes, Heard] = OrderedDict()
        self.passes = 0

    def listen(self, clips: Sequence[Audio]) -> list[Heard]:
        """What is heard in each clip.

        Raises:
            SpecError: a clip is shorter than SHORTEST.
        """
        for index, clip in enumerate(clips):
            if clip.seconds < SHORTEST:
                raise SpecError(f"clip {index} lasts {clip.seconds:.2f} s; the listener needs at least {SHORTEST:g} s")
        return [self._recall(clip) for clip in clips]

    @torch.inference_mode()
    def read(self, text: str) -> Tensor:
        """Embedding [width] of a text, of unit length; words it does not know are not heard.

        Raises:
            SpecError: no word of the text says something the listener knows.
        """
        check(text, self.trained.telling)
        found = numbers(text, self.trained.words, self.trained.config.text_length)
        embedding: Tensor = self.trained.network.text(torch.tensor([found]))[0]
        return embedding

    def _recall(self, clip: Audio) -> Heard:
        samples = clip.mono()
        key = hashlib.blake2b(samples.numpy().tobytes(), digest_size=16, salt=clip.rate.to_bytes(8)).digest()
        if key not in self.held:
            self.held[key] = self._hear(resample(samples, clip.rate, RATE))
        self.held.move_to_end(key)
        while len(self.held) > 1 and sum(len(heard.severity) for heard in self.held.values()) > ROOM:
            self.held.popitem(last=False)
        return self.held[key]

    @torch.inference_mode()
    def _hear(self, samples: Tensor) -> Heard:
        windows = cut(samples)
        self.passes += len(windows)
        embedding, severity, stages = self.trained.network.audio(spectra(windows))
        severity = torch.sigmoid(severity)
        if silent(samples):
            embedding, severity = torch.zeros_like(embedding), torch.ones_like(severity)
        return Heard(embedding, severity, tuple(stages))


@lru_cache(maxsize=2)
def encoder(weights: Path) -> Encoder:
    """The encoder of a folder of weights, one object in a process for all who ask for the same.

    Raises CheckpointError where the weights are not to be had.
    """
    return Encoder(read(weights))
