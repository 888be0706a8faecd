"""A clip's spectrogram as a small picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tada_core.audio import Audio

COLUMNS, ROWS, WINDOW = 240, 72, 1024
FLOOR, CEILING = -80.0, -10.0
"""Levels in dB of a full-scale sine: the same for all clips, so that pictures can be compared."""


def spectrogram(audio: Audio) -> NDArray[np.float64]:
    """Levels in [0, 1], shape [ROWS, COLUMNS]: high frequencies first, even steps of pitch from 60 Hz upwards."""
    samples = np.pad(audio.mono().numpy().astype(np.float64), WINDOW // 2)
    starts = np.linspace(0, len(samples) - WINDOW, COLUMNS).astype(int)
    frames = samples[starts[:, None] + np.arange(WINDOW)] * np.hanning(WINDOW)
    power = (np.abs(np.fft.rfft(frames)) / (WINDOW / 4)) ** 2
    edges = np.geomspace(60.0, audio.rate / 2, ROWS + 1) * WINDOW / audio.rate
    first = np.minimum(edges[:-1].astype(int), power.shape[1] - 1)
    last = np.minimum(np.maximum(edges[1:].astype(int), first + 1), power.shape[1])
    bands = np.stack([power[:, low:high].max(1) for low, high in zip(first, last, strict=True)])
    level = 10 * np.log10(np.maximum(bands, 1e-12))
    scaled: NDArray[np.float64] = np.clip((level[::-1] - FLOOR) / (CEILING - FLOOR), 0, 1)
    return scaled


def draw(audio: Audio, path: Path) -> None:
    """Write the spectrogram as PNG."""
    from matplotlib.image import imsave

    imsave(path, spectrogram(audio), cmap="magma", vmin=0, vmax=1)
