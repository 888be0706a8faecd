"""From attributes to samples."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tada_etude.synth.attributes import Attributes
from tada_etude.synth.drums import kit
from tada_etude.synth.instruments import HIGHEST, TABLE, TIMBRES, pitch_to_hz, tone_filter, wavetables
from tada_etude.synth.score import LENGTH, Note, beats, compose

RATE: Final = 16000
"""Sampling rate in Hz."""

SAMPLES: Final = round(LENGTH * RATE)
"""Samples of a clip: 65536."""

LOUDNESS: Final = 0.085
"""Root mean square of the tonal part, before drums are added at a fixed level."""

PEAK: Final = 0.89
"""Largest absolute sample of a clip."""

WET: Final = 0.16
"""Share of the room in the sound."""


def render(attributes: Attributes) -> NDArray[np.float32]:
    """The clip [SAMPLES] (float32, RATE Hz, within +-PEAK) that the attributes describe; deterministic."""
    tonal = np.zeros(SAMPLES + RATE)
    rng = np.random.default_rng((attributes.seed, 3))
    for note in compose(attributes):
        wave = sing(note, attributes, rng)
        first = round(note.start * RATE)
        tonal[first : first + len(wave)] += wave[: len(tonal) - first]
    tonal = room(tonal[:SAMPLES])
    tonal *= LOUDNESS / np.sqrt(np.mean(tonal**2))
    if attributes.drums:
        tonal += kit(beats(attributes), 60.0 / attributes.bpm, SAMPLES, rng)
    clip = tonal * min(1.0, PEAK / np.abs(tonal).max()) * fades()
    return np.asarray(clip, np.float32)


def sing(note: Note, attributes: Attributes, rng: np.random.Generator) -> NDArray[np.float64]:
    """One note [samples] of the clip's instrument, release included."""
    timbre = TIMBRES[attributes.instrument]
    held = note.length * timbre.gate
    t = np.arange(round((held + 5 * timbre.release) * RATE)) / RATE
    shape = (1 - np.exp(-t / (timbre.attack / 2))) * np.exp(-np.maximum(t - held, 0.0) / timbre.release)
    shape *= np.clip((t[-1] - t) / 0.005, 0.0, 1.0)
    if timbre.partials:
        return np.asarray(note.gain * shape * ring(note.pitch, t, attributes.brightness))
    body, strike = wavetables(attributes.instrument, note.pitch, attributes.brightness)
    cycles = pitch_to_hz(note.pitch) * (t + timbre.vibrato / 31.4 * np.sin(31.4 * t))
    position = (cycles + rng.random()) % 1.0 * TABLE
    index = position.astype(np.intp)
    wave = body[index] * np.exp(-t / timbre.decay) + strike[index] * np.exp(-t / timbre.bite_decay)
    if timbre.noise:
        breath = hiss(attributes.brightness)[: len(t)]
        breath = np.roll(breath, int(rng.integers(len(breath)))) * np.exp(-t / timbre.noise_decay)
        wave = wave + timbre.noise * breath
    return np.asarray(note.gain * shape * wave)


def ring(pitch: int, t: NDArray[np.float64], brightness: str) -> NDArray[np.float64]:
    """A struck bar [samples]: inharmonic partials that die away at their own rates."""
    wave = np.zeros_like(t)
    for ratio, level, decay in TIMBRES["bell"].partials:
        frequency = ratio * pitch_to_hz(pitch)
        if frequency < HIGHEST:
            gain = level * float(tone_filter(np.array([frequency]), brightness)[0])
            wave += gain * np.exp(-t / decay) * np.sin(2 * np.pi * frequency * t)
    return wave


@lru_cache(maxsize=8)
def hiss(brightness: str) -> NDArray[np.float32]:
    """Noise of unit root mean square [6 s] around 1.5 kHz, filtered for the brightness: breath and hammer."""
    size = 6 * RATE
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    spectrum = np.fft.rfft(np.random.default_rng(11).standard_normal(size))
    band = np.exp(-(((np.log2(np.maximum(frequency, 1.0) / 1500.0)) / 0.8) ** 2))
    noise = np.fft.irfft(spectrum * band, size)
    noise /= noise.std()
    coloured = np.fft.irfft(np.fft.rfft(noise) * tone_filter(np.maximum(frequency, 1.0), brightness), size)
    return np.asarray(coloured, np.float32)


def room(dry: NDArray[np.float64]) -> NDArray[np.float64]:
    """The samples with a small room around them (decay 60 ms, 0.25 s long), same length."""
    size = 2 * SAMPLES
    wet = np.fft.irfft(np.fft.rfft(dry, size) * _room_response(size), size)[: len(dry)]
    return np.asarray(dry + WET * wet)


@lru_cache(maxsize=1)
def _room_response(size: int) -> NDArray[np.complex128]:
    t = np.arange(RATE // 4) / RATE
    echo = np.random.default_rng(5).standard_normal(len(t)) * np.exp(-t / 0.06) * (t > 0.008)
    return np.asarray(np.fft.rfft(echo / np.sqrt(np.sum(echo**2)), size))


@lru_cache(maxsize=1)
def fades() -> NDArray[np.float64]:
    """Gain [SAMPLES] that opens over 2 ms and closes over 120 ms, so that there is no click at either end."""
    gain = np.ones(SAMPLES)
    rise, fall = round(0.002 * RATE), round(0.12 * RATE)
    gain[:rise] = np.linspace(0, 1, rise)
    gain[-fall:] = 0.5 + 0.5 * np.cos(np.linspace(0, np.pi, fall))
    return gain
