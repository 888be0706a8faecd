"""Chroma: how strong each of the twelve pitch classes is, over time."""

from __future__ import annotations

import warnings

import numpy as np

from tada_core.audio import Audio
from tada_mir.compiled import Samples, compiled
from tada_mir.sound import RATE, Array, mono, once


@once
def chroma(clip: Audio) -> Array:
    """Unit vectors of the pitch classes [frames, 12], C first, frames 23 ms apart; zeros where a frame is silent.

    librosa's `chroma_cqt` as it stands: constant-Q transform over seven octaves from C1, 36 bins an octave, tuned to
    each clip's own pitch. (Published: 22.05 kHz, hop 512, every other setting the library's.)
    """
    classes = _classes(mono(clip)).T
    size = np.linalg.norm(classes, axis=1, keepdims=True)
    return np.asarray(np.divide(classes, size, out=np.zeros_like(classes), where=size > 0))


@compiled
def _classes(samples: Samples) -> Array:
    import librosa

    with warnings.catch_warnings():
        # Short clips have octaves shorter than a window; silence has no tuning. Both still give a chroma.
        warnings.filterwarnings("ignore", "n_fft=.* is too large for input signal")
        warnings.filterwarnings("ignore", "Trying to estimate tuning from empty frequency set")
        return np.asarray(librosa.feature.chroma_cqt(y=samples, sr=RATE), np.float64)


def common(a: Array, b: Array) -> tuple[Array, Array]:
    """The frames both have, from the start."""
    frames = min(len(a), len(b))
    return a[:frames], b[:frames]
