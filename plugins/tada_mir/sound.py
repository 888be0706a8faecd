"""A clip as the features hear it, and features that are computed once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from tada_core.audio import Audio

Array = npt.NDArray[np.float64]
Measured = TypeVar("Measured")

RATE: Final = 22050
"""Rate in Hz at which all but loudness is measured: the published one, and librosa's own."""


def mono(clip: Audio) -> npt.NDArray[np.float32]:
    """Mean over channels at RATE Hz [samples], with the gain of its storage taken back."""
    import librosa

    samples = (clip.mono() / clip.gain).numpy()
    if clip.rate == RATE:
        return np.asarray(samples)
    return np.asarray(librosa.resample(samples, orig_sr=clip.rate, target_sr=RATE))


def once(measure: Callable[[Audio], Measured]) -> Callable[[Audio], Measured]:
    """`measure`, remembering its answer for a clip as long as the clip lives."""
    known: WeakKeyDictionary[Audio, Measured] = WeakKeyDictionary()

    @wraps(measure)
    def remembered(clip: Audio) -> Measured:
        if clip not in known:
            known[clip] = measure(clip)
        return known[clip]

    return remembered
