"""A picture of a clip, log-mel and chroma over time, and the distance between two of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import attrs
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

RATE: Final = 16000
SIZE: Final = 2048
HOP: Final = 512
BANDS: Final = 64

HEARD: Final = (100.0, 2500.0)
"""Range of chroma, in Hz."""

FLOOR: Final = 1e-3
"""Amplitude under which a band counts as silent (a sine at full scale is 1): changes below cannot be heard."""

COLOUR: Final = 1.3
HARMONY: Final = 0.8
"""Root mean square difference of log-mel (nats) and of chroma (unitless) between two seeds of a prompt."""


@attrs.frozen(eq=False)
class Picture:
    """`mel` [frames, BANDS], log of band amplitude in nats; `chroma` [frames, 12], of norm 1, or 0 in silence."""

    mel: Array
    chroma: Array


def picture(samples: Array, rate: int) -> Picture:
    """The picture of samples [n] at `rate` Hz, frames 32 ms apart."""
    power = _power(_resample(samples, rate))
    mel = np.log(np.sqrt(np.add.reduceat(power, _edges(), axis=1)[:, :-1]) + FLOOR)
    low, high = np.searchsorted(_bins(), HEARD)
    classes = power[:, low:high] @ _classes()[low:high]
    size = np.linalg.norm(np.sqrt(classes), axis=1, keepdims=True)
    chroma = np.where(size > FLOOR, np.sqrt(classes) / np.maximum(size, FLOOR), 0.0)
    return Picture(np.asarray(mel), np.asarray(chroma))


def distance(a: Picture, b: Picture) -> float:
    """d = (rms(mel_a - mel_b) / COLOUR + rms(chroma_a - chroma_b) / HARMONY) / 2, over the frames both have.

    rms(mel) is the root mean square over frames and bands (log-spectral distance, Gray and Markel 1976, in nats);
    rms(chroma) is over frames of the Euclidean distance of unit vectors, sqrt(2 - 2 cosine). A metric: 0 for equal
    pictures, symmetric, and obeying the triangle inequality.
    """
    frames = min(len(a.mel), len(b.mel))
    colour = float(np.sqrt(np.mean((a.mel[:frames] - b.mel[:frames]) ** 2)))
    harmony = float(np.sqrt(np.mean(np.sum((a.chroma[:frames] - b.chroma[:frames]) ** 2, axis=1))))
    return 0.5 * (colour / COLOUR + harmony / HARMONY)


def _power(samples: Array) -> Array:
    padded = np.pad(samples, SIZE // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    spectra = np.fft.rfft(frames * np.hanning(SIZE))
    return np.asarray((spectra.real**2 + spectra.imag**2) * (4.0 / SIZE) ** 2)


def _resample(samples: Array, rate: int) -> Array:
    if rate == RATE:
        return samples
    size = round(len(samples) * RATE / rate)
    return np.asarray(np.fft.irfft(np.fft.rfft(samples)[: size // 2 + 1], size) * (size / len(samples)))


@lru_cache(maxsize=1)
def _bins() -> Array:
    return np.asarray(np.fft.rfftfreq(SIZE, 1.0 / RATE))


@lru_cache(maxsize=1)
def _edges() -> npt.NDArray[np.intp]:
    mel = np.linspace(np.log1p(40.0 / 700.0), np.log1p(7900.0 / 700.0), BANDS + 1)
    return np.asarray(np.searchsorted(_bins(), 700.0 * np.expm1(mel)))


@lru_cache(maxsize=1)
def _classes() -> Array:
    pitch = 69.0 + 12.0 * np.log2(np.maximum(_bins(), 1.0) / 440.0)
    away = (pitch[:, None] - np.arange(12) + 6.0) % 12.0 - 6.0
    return np.asarray(np.exp(-0.5 * (away / 0.5) ** 2))
