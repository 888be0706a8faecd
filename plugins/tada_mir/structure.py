"""Structure: whether the same moments of a clip are alike (TADA v2, benchmark's preservation axes, there "ssm").

Differs from the public code: two clips without any structure (all moments equally alike, as in silence) are at
distance 0, not 1, and samples are not rounded to 16 bits first.
"""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from tada_core.audio import Audio
from tada_mir.chroma import chroma, common
from tada_mir.distance import Distance
from tada_mir.sound import Array

FLAT: Final = 1e-6
"""Range of self-similarity below which it is the rounding of float32 and no structure."""


class Structure(Distance[Array]):
    """1 - max(r, 0), r the Pearson correlation of two chroma self-similarity matrices: 0 same form, 1 unrelated.

    A matrix holds the cosine between every two frames of a clip, so that transposing or rearranging the whole clip
    changes nothing as long as what repeats still repeats. Symmetric. The longer clip's end is left out.
    """

    name: ClassVar[str] = "structure"
    unit: ClassVar[str] = "1 - correlation"

    def feature(self, clip: Audio) -> Array:
        """Chroma [frames, 12]."""
        return chroma(clip)

    def distance(self, reference: Array, clip: Array) -> float:
        """1 - max(r, 0) over pairs of different frames; 1 where only one clip has a structure, 0 where none has."""
        a, b = (_pattern(one) for one in common(reference, clip))
        if not (a.any() and b.any()):
            return float(a.any() != b.any())
        # Of unit vectors 1 - r is half the squared distance, which is exactly 0 for equal ones.
        return min(0.5 * float(np.sum((a - b) ** 2)), 1.0)


def _pattern(classes: Array) -> Array:
    """Similarity of every two frames, mean 0 and norm 1 [frames (frames - 1) / 2]; zeros where all are alike."""
    similarity = (classes @ classes.T)[np.triu_indices(len(classes), k=1)]
    if similarity.size == 0 or np.ptp(similarity) < FLAT:
        return np.zeros(similarity.shape)
    centred = similarity - similarity.mean()
    return np.asarray(centred / np.linalg.norm(centred))
