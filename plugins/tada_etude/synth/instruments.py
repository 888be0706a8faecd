"""Five timbres, each a table of partials with an envelope, and the filter that makes a clip dark or bright."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

TABLE: Final = 4096
"""Samples of one period in a wavetable."""

HIGHEST: Final = 5000.0
"""Partials above this frequency in Hz are left out: the top of the spectrum belongs to the drums."""


@attrs.frozen
class Timbre:
    """How an instrument sounds.

    `slope` and `bite` are the spectral tilts (amplitude ~ harmonic^-slope) of the sustained tone and of the attack;
    `comb` is the relative plucking or striking point that notches harmonics (0 = none); `attack`, `decay` (time
    constant of the sustained tone; infinite for blown ones), `bite_decay` and `release` are in seconds; `gate` is the
    share of a note's length that sounds, so that repeated notes are struck anew; `noise` is the level of breath or
    hammer, `vibrato` its depth as a share of the frequency.
    """

    slope: float
    bite: float
    comb: float
    attack: float
    decay: float
    bite_decay: float
    release: float
    gate: float
    noise: float
    noise_decay: float
    vibrato: float = 0.0
    harmonics: tuple[float, ...] = ()
    partials: tuple[tuple[float, float, float], ...] = ()


TIMBRES: Final[dict[str, Timbre]] = {
    "piano": Timbre(1.25, 0.55, 0.12, 0.003, 0.75, 0.12, 0.06, 0.95, 0.10, 0.018),
    "organ": Timbre(
        0, 0, 0, 0.012, np.inf, 0.04, 0.03, 0.80, 0.02, 0.02,
        harmonics=(1.0, 0.85, 0.55, 0.6, 0.0, 0.45, 0.0, 0.4, 0.0, 0.18, 0.0, 0.2, 0.0, 0.0, 0.0, 0.12),
    ),
    "guitar": Timbre(0.85, 0.2, 0.27, 0.002, 0.30, 0.07, 0.03, 0.98, 0.03, 0.008),
    "flute": Timbre(
        0, 0, 0, 0.035, np.inf, 0.05, 0.05, 0.78, 0.022, np.inf, vibrato=0.004, harmonics=(1.0, 0.22, 0.1, 0.02, 0.01)
    ),
    "bell": Timbre(
        0, 0, 0, 0.002, 1.0, 0.1, 0.25, 1.3, 0.0, 0.01,
        partials=(
            (1.0, 1.0, 1.3), (2.0, 0.3, 0.9), (2.756, 0.5, 0.5), (5.404, 0.5, 0.3), (8.933, 0.4, 0.2),
            (13.34, 0.3, 0.14), (18.64, 0.25, 0.1), (24.8, 0.2, 0.08),
        ),
    ),
}  # fmt: skip
"""Name -> timbre. A bell's `partials` are (ratio, level, decay in seconds) of a free bar; the rest are harmonic."""


def tone_filter(frequency: NDArray[np.float64], brightness: str) -> NDArray[np.float64]:
    """Gain of the tone at each frequency in Hz: "dark" cuts above 550 Hz, "bright" lifts 3 dB an octave to 4 kHz."""
    if brightness == "dark":
        return np.asarray(1.0 / (1.0 + (frequency / 550.0) ** 3))
    if brightness == "bright":
        return np.asarray(np.sqrt(np.clip(frequency, 200.0, 4000.0) / 700.0))
    return np.ones_like(frequency)


@lru_cache(maxsize=4096)
def wavetables(instrument: str, pitch: int, brightness: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One period [TABLE + 1] of the sustained tone and of what the attack adds to it, filtered for the brightness."""
    timbre = TIMBRES[instrument]
    fundamental = pitch_to_hz(pitch)
    count = max(1, int(HIGHEST / fundamental))
    number = np.arange(1, count + 1)
    if timbre.harmonics:
        body = np.zeros(count)
        known = min(count, len(timbre.harmonics))
        body[:known] = timbre.harmonics[:known]
        body += 0.3 * (brightness == "bright") / number**0.8
        strike = 0.4 * body
    else:
        notch = np.abs(np.sin(np.pi * number * timbre.comb)) + 0.05
        body, strike = notch / number**timbre.slope, notch / number**timbre.bite
        strike = 0.5 * strike * np.exp(-number / 14.0)
    gain = tone_filter(number * fundamental, brightness)
    phases = np.exp(2j * np.pi * np.random.default_rng((pitch, 7)).random(count))
    return _period(body * gain * phases), _period(strike * gain * phases)


def _period(spectrum: NDArray[np.complex128]) -> NDArray[np.float32]:
    bins = np.zeros(TABLE // 2 + 1, complex)
    bins[1 : len(spectrum) + 1] = spectrum
    wave = np.fft.irfft(bins) * (TABLE / 2)
    return np.append(wave, wave[0]).astype(np.float32)


def pitch_to_hz(pitch: int) -> float:
    """Frequency in Hz of a MIDI note number, A4 = 69 = 440 Hz."""
    return float(440.0 * 2.0 ** ((pitch - 69) / 12.0))
