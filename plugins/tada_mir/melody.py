"""Melody: whether the same pitch sounds at the same time (TADA v2, benchmark's preservation axes).

Differs from the public code: two clips without any pitch are at distance 0, not 1; samples are not rounded to 16 bits
first.
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from tada_core.audio import Audio
from tada_mir.compiled import Samples, compiled
from tada_mir.distance import Distance
from tada_mir.sound import RATE, Array, mono, once

LOWEST: Final = "C2"
HIGHEST: Final = "C7"


@once
def pitch(clip: Audio) -> Array:
    """Fundamental frequency in Hz [frames], frames 23 ms apart, 0 where unvoiced: pYIN (Mauch and Dixon 2014).

    From LOWEST to HIGHEST, other settings librosa's. It hears one voice: in music of several it is a proxy.
    """
    return np.nan_to_num(_pitch(mono(clip)))


@compiled
def _pitch(samples: Samples) -> Array:
    import librosa

    low, high = (float(librosa.note_to_hz(note)) for note in (LOWEST, HIGHEST))
    return np.asarray(librosa.pyin(samples, fmin=low, fmax=high, sr=RATE)[0], np.float64)


class Melody(Distance[Array]):
    """1 - raw pitch accuracy (mir_eval): the part of the reference's voiced frames whose pitch is lost in the clip.

    A pitch is kept within 50 cents; a frame that is unvoiced in the clip is lost. Not symmetric: only frames voiced in
    the reference count, so notes added in its rests cost nothing. The longer clip's end is left out.
    """

    name: ClassVar[str] = "melody"
    unit: ClassVar[str] = "1 - accuracy"

    def feature(self, clip: Audio) -> Array:
        """Fundamental frequency in Hz [frames]."""
        return pitch(clip)

    def distance(self, reference: Array, clip: Array) -> float:
        """1 - accuracy; where the reference has no pitch, 0 if the clip has none either, else 1."""
        from mir_eval.melody import hz2cents, raw_pitch_accuracy

        frames = min(len(reference), len(clip))
        a, b = reference[:frames], clip[:frames]
        if not (a.any() and b.any()):
            return float(a.any() != b.any())
        return 1.0 - float(raw_pitch_accuracy(a > 0, hz2cents(a), b > 0, hz2cents(b)))
