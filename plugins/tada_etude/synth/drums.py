"""A drum kit: kick and snare on alternate beats, hi-hat on every half beat."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE: Final = 16000
KICK: Final = 0.15
SNARE: Final = 0.09
HAT: Final = 0.05


def kit(onsets: NDArray[np.float64], beat: float, samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The drums [samples] for beats at `onsets` (seconds), `beat` seconds apart, at a fixed level."""
    track = np.zeros(samples + RATE)
    for i, onset in enumerate(onsets):
        _hit(track, onset, (snare() if i % 2 else kick()))
        for half in (0.0, 0.5):
            level = (1.0 if half == 0.0 else 0.7) * (0.9 + 0.2 * rng.random())
            _hit(track, onset + half * beat, level * hat(int(rng.integers(4))))
    return track[:samples]


def _hit(track: NDArray[np.float64], onset: float, sound: NDArray[np.float64]) -> None:
    first = round(onset * RATE)
    track[first : first + len(sound)] += sound[: max(0, len(track) - first)]


@lru_cache(maxsize=1)
def kick() -> NDArray[np.float64]:
    """A falling sine, 130 to 52 Hz, with a soft click."""
    t = np.arange(round(0.2 * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(52 + 78 * np.exp(-t / 0.025)) / RATE
    return np.asarray(KICK * np.sin(phase) * np.exp(-t / 0.07) * _edges(t))


@lru_cache(maxsize=1)
def snare() -> NDArray[np.float64]:
    """A noise burst over a 190 Hz tone."""
    t = np.arange(round(0.18 * RATE)) / RATE
    noise = _band(np.random.default_rng(21).standard_normal(len(t)), 800.0, 3000.0)
    tone = np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.04)
    return np.asarray(SNARE * (0.55 * noise * np.exp(-t / 0.05) + 0.7 * tone) * _edges(t))


@lru_cache(maxsize=4)
def hat(variant: int) -> NDArray[np.float64]:
    """A short burst of noise above 5 kHz; four variants, so that no two bars sound quite alike."""
    t = np.arange(round(0.07 * RATE)) / RATE
    noise = _band(np.random.default_rng((31, variant)).standard_normal(len(t)), 5000.0, 7800.0)
    return np.asarray(HAT * noise * np.exp(-t / 0.018) * _edges(t))


def _band(noise: NDArray[np.float64], low: float, high: float) -> NDArray[np.float64]:
    frequency = np.maximum(np.fft.rfftfreq(len(noise), 1 / RATE), 1.0)
    shape = 1 / (1 + (low / frequency) ** 6) / (1 + (frequency / high) ** 6)
    filtered = np.fft.irfft(np.fft.rfft(noise) * shape, len(noise))
    return np.asarray(filtered / filtered.std())


def _edges(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.clip(t / 0.001, 0, 1) * np.clip((t[-1] - t) / 0.01, 0, 1))
