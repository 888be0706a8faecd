"""Clips made worse by a known severity, as generated music goes wrong: what the quality head learns to hear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tada_etude.decoder import EtudeDecoder
from tada_etude.synth import RATE, draw, render

Array = NDArray[np.float32]
Worsen = Callable[[Array, float, np.random.Generator, EtudeDecoder], Array]


def damage(clip: Array, kind: str, severity: float, rng: np.random.Generator, code: EtudeDecoder) -> Array:
    """The clip [samples] with one kind of damage; severity 0 is inaudible, 1 leaves little of the music.

    Raises KeyError for a kind that is not in KINDS.
    """
    return np.asarray(KINDS[kind](clip, severity, rng, code), np.float32)


def _noise(clip: Array, severity: float, rng: np.random.Generator, _: EtudeDecoder) -> Array:
    """White noise, 45 dB under the clip to as loud as it."""
    noise = rng.standard_normal(len(clip))
    return np.asarray(clip + noise * _rms(clip) * 10 ** (-45 * (1 - severity) / 20), np.float32)


def _dull(clip: Array, severity: float, rng: np.random.Generator, _: EtudeDecoder) -> Array:
    """A brickwall low-pass, 8 kHz down to 250 Hz, and hiss above it, 60 to 10 dB under the clip."""
    edge = 8000.0 * (250.0 / 8000.0) ** severity
    frequency = np.fft.rfftfreq(len(clip), 1 / RATE)
    below = np.fft.rfft(clip) * (frequency < edge)
    hiss = np.fft.rfft(rng.standard_normal(len(clip)) * _rms(clip) * 10 ** (-(60 - 50 * severity) / 20))
    return np.fft.irfft(below + hiss * (frequency >= edge), len(clip)).astype(np.float32)


def _clip(clip: Array, severity: float, _: np.random.Generator, __: EtudeDecoder) -> Array:
    """Hard clipping at the peak down to a twelfth of the root mean square."""
    top = float(np.abs(clip).max())
    limit = top * (max(_rms(clip) / 12, 1e-6) / top) ** severity
    return np.clip(clip, -limit, limit)


def _smear(clip: Array, severity: float, rng: np.random.Generator, _: EtudeDecoder) -> Array:
    """Noise-like reverberation that takes over from the dry sound and lasts up to 1.2 s: onsets melt away."""
    time = np.arange(round(1.5 * RATE)) / RATE
    tail = rng.standard_normal(len(time)) * np.exp(-time / (0.02 + 0.4 * severity))
    size = len(clip) + len(tail)
    wet = np.fft.irfft(np.fft.rfft(clip, size) * np.fft.rfft(tail, size), size)[: len(clip)]
    wet *= _rms(clip) / max(_rms(wet), 1e-9)
    share = np.sin(severity * np.pi / 2)
    return np.asarray((1 - share) * clip + share * wet, np.float32)


def _mix(clip: Array, severity: float, rng: np.random.Generator, _: EtudeDecoder) -> Array:
    """Another clip at the same time, 35 dB under this one to as loud as it."""
    other = render(draw(int(rng.integers(50_000_000, 60_000_000))))
    return np.asarray(clip + other * (_rms(clip) / _rms(other)) * 10 ** (-35 * (1 - severity) / 20), np.float32)


def _drop(clip: Array, severity: float, rng: np.random.Generator, _: EtudeDecoder) -> Array:
    """Gaps of 20 to 120 ms, up to three quarters of the clip's length in all."""
    gain, lost = np.ones(len(clip), np.float32), 0
    while lost < 0.75 * severity * len(clip):
        length = int(rng.integers(RATE // 50, RATE // 8))
        start = int(rng.integers(len(clip)))
        lost += int(gain[start : start + length].sum())
        gain[start : start + length] = 0.0
    return clip * gain


@torch.no_grad()
def _blur(clip: Array, severity: float, rng: np.random.Generator, code: EtudeDecoder) -> Array:
    """Noise on etude's latents, up to 1.5 times their own size, then decoded: what an overdriven model sounds like."""
    latents = code.encode(torch.from_numpy(clip)[None, None])
    noise = torch.from_numpy(rng.standard_normal(latents.shape)).float()
    made: Tensor = code.decode(latents + 1.5 * severity**1.5 * latents.std() * noise, return_dict=False)[0]
    return np.asarray(made[0, 0].numpy())


def _rms(clip: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(np.square(clip, dtype=np.float64))))


KINDS: Final[Mapping[str, Worsen]] = MappingProxyType(
    {"noise": _noise, "dull": _dull, "clip": _clip, "smear": _smear, "mix": _mix, "drop": _drop, "blur": _blur}
)
"""Name -> what it does to a clip."""
