"""How far a clip has moved from its reference: colour, loudness and harmony over time, no weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from tada_core.audio import Audio
from tada_core.errors import SpecError
from tada_core.metric import Metric, check_lengths, references
from tada_preservation.spectral import Array, Picture, distance, picture

if TYPE_CHECKING:
    from tada_core.concept import Concept


class SpectralDistance(Metric):
    """Distance to one reference per clip: 0 for the same clip, about 1 for two clips of one prompt and two seeds."""

    name: ClassVar[str] = "spectral"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "preservation"
    unit: ClassVar[str] = "two-seed distances"
    direction: ClassVar[int] = -1

    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> Array:
        """Distance of each clip to its reference [clips], `tada_preservation.spectral.distance`; symmetric.

        Rates may differ: both are resampled to 16 kHz. Lengths may differ by up to 50 ms, which is cut.

        Raises:
            SpecError: `against` is not one clip for each clip, a clip is empty, or the lengths differ by more.
        """
        pairs = zip(clips, references(self.name, clips, against), strict=True)
        known: dict[int, Picture] = {}
        return np.array([distance(*_pair(*pair, known)) for pair in pairs], np.float64)


def _pair(clip: Audio, reference: Audio, known: dict[int, Picture]) -> tuple[Picture, Picture]:
    check_lengths(clip, reference)
    for one in (clip, reference):
        if one.samples.shape[-1] == 0:
            raise SpecError("an empty clip cannot be compared")
        if id(one) not in known:
            known[id(one)] = picture(one.mono().numpy().astype(np.float64), one.rate)
    return known[id(clip)], known[id(reference)]
