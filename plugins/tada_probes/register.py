"""Register: how high the notes lie."""

from __future__ import annotations

from typing import Final

import numpy as np

from tada_probes.signal import RATE, Array, frequencies, power, resample, silent

SIZE: Final = 4096
HOP: Final = 1024
SHARE: Final = 0.05


def register(samples: Array, rate: int) -> float:
    """Pitch height of samples [n] in semitones (MIDI numbers, A4 = 69); 0 for a silent clip.

    The frequency below which 5 % of the energy lies (a low roll-off: the lowest notes that carry weight), in the median
    over frames of the power spectrum above 55 Hz, which leaves out what sounds only for a moment, like a kick drum.
    """
    x = resample(samples, rate)
    if silent(x):
        return 0.0
    spectra = power(x, SIZE, HOP)
    loud = spectra.sum(1)
    typical = np.median(spectra[loud > 1e-3 * loud.max()], axis=0)
    bins = frequencies(SIZE)
    typical = typical * (bins > 55.0)
    if not typical.any():
        return 0.0
    edge = float(np.interp(SHARE, np.cumsum(typical) / typical.sum(), bins + 0.5 * RATE / SIZE))
    return float(69.0 + 12.0 * np.log2(edge / 440.0))
