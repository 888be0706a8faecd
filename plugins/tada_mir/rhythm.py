"""Rhythm: whether the beats fall at the same times (TADA v2, benchmark's preservation axes).

Differs from the public code: where one clip has no beat the distance is 1 and where none has any it is 0, so that every
clip counts; there such prompts are left out of the mean (`beatless="omit"`). Samples are not rounded to 16 bits first.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from attrs import field, frozen, validators

from tada_core.audio import Audio
from tada_mir.compiled import Samples, compiled
from tada_mir.distance import Distance
from tada_mir.sound import RATE, Array, mono, once


@once
def beats(clip: Audio) -> Array:
    """Times of the beats in seconds [beats], by dynamic programming (Ellis 2007), librosa's settings."""
    return _beats(mono(clip))


@compiled
def _beats(samples: Samples) -> Array:
    from librosa.beat import beat_track

    return np.asarray(beat_track(y=samples, sr=RATE, units="time")[1], np.float64)


@frozen
class Rhythm(Distance[Array]):
    """1 - F-measure of the beats, found again within 70 ms (mir_eval): 0 for the same beats, 1 for no common one.

    Symmetric. Of clips of two lengths the beats after the shorter one's end count as lost.

    Attributes:
        beatless: clips without beats "count" as said above, or are left out ("omit", published): the score is nan.
    """

    name: ClassVar[str] = "rhythm"
    unit: ClassVar[str] = "1 - F-measure"

    beatless: Literal["count", "omit"] = field(default="count", validator=validators.in_(("count", "omit")))

    def feature(self, clip: Audio) -> Array:
        """Times of the beats in seconds [beats]."""
        return beats(clip)

    def distance(self, reference: Array, clip: Array) -> float:
        """1 - 2PR / (P + R), P and R the parts of the two clips' beats that have a partner in the other."""
        from mir_eval.beat import f_measure

        if len(reference) and len(clip):
            return 1.0 - float(f_measure(reference, clip))
        return float("nan") if self.beatless == "omit" else float(len(reference) != len(clip))
