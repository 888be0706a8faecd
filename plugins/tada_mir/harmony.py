"""Harmony: whether the same pitch classes sound at the same time (TADA v2, benchmark's preservation axes).

Differs from the public code: a frame that is silent in both clips counts as kept (there as lost, so that a clip with
silent frames is not at distance 0 from itself), and samples are not rounded to 16 bits first.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tada_core.audio import Audio
from tada_mir.chroma import chroma, common
from tada_mir.distance import Distance
from tada_mir.sound import Array


class Harmony(Distance[Array]):
    """1 - mean over frames of the cosine of chroma vectors: 0 for the same harmony, 1 for no common pitch class.

    Symmetric. The longer clip's end is left out.
    """

    name: ClassVar[str] = "harmony"
    unit: ClassVar[str] = "1 - cosine"

    def feature(self, clip: Audio) -> Array:
        """Chroma [frames, 12]."""
        return chroma(clip)

    def distance(self, reference: Array, clip: Array) -> float:
        """1 - cosine, mean over frames; 1 in a frame where only one clip is silent."""
        a, b = common(reference, clip)
        # Of unit vectors 1 - cosine is half the squared distance, which is exactly 0 for equal ones.
        away = 0.5 * np.sum((a - b) ** 2, axis=1)
        return float(np.where(a.any(1) == b.any(1), away, 1.0).mean())
