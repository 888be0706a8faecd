"""Loudness: how much louder or quieter a clip is (integrated loudness, ITU-R BS.1770-4). An axis of our own."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np

from tada_core.audio import Audio
from tada_core.errors import SpecError
from tada_mir.distance import Distance
from tada_mir.sound import once

BLOCK: Final = 0.4
"""Seconds of one gating block."""

GATE: Final = -70.0
"""Loudness in LUFS below which a block is not heard; a clip without a louder one has this loudness, not -inf."""

CHANNELS: Final = 5


@once
def loudness(clip: Audio) -> float:
    """Integrated loudness in LUFS, no lower than GATE, with the gain of its storage taken back.

    At the clip's own rate; K-weighted, gated, channels added up: the same signal on two channels is 3.01 LU louder than
    on one. A clip shorter than BLOCK is one block.

    Raises:
        SpecError: the clip has more than five channels, which the standard does not weight.
    """
    from pyloudnorm import Meter

    if len(clip.samples) > CHANNELS:
        raise SpecError(f"loudness is defined for 1 to {CHANNELS} channels, not {len(clip.samples)}; mix them down")
    samples = clip.samples.numpy().T.astype(np.float64) / clip.gain
    # Half a sample short, because a block as long as the clip may round to one sample more.
    block = min(BLOCK, (len(samples) - 0.5) / clip.rate)
    return max(float(Meter(clip.rate, block_size=block).integrated_loudness(samples)), GATE)


class Loudness(Distance[float]):
    """Absolute difference of integrated loudness in LU; symmetric, and whole clips of any length are compared."""

    name: ClassVar[str] = "loudness"
    unit: ClassVar[str] = "LU"

    def feature(self, clip: Audio) -> float:
        """Integrated loudness in LUFS."""
        return loudness(clip)

    def distance(self, reference: float, clip: float) -> float:
        """Absolute difference in LU."""
        return abs(clip - reference)
