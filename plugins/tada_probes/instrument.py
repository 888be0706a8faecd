"""Instrument: which of etude's five timbres is heard."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

import attrs
import numpy as np

from tada_probes.signal import Array, frequencies, power, resample, silent

INSTRUMENTS: Final = ("piano", "organ", "guitar", "flute", "bell")

SIZE: Final = 512
HOP: Final = 160
BANDS: Final = 24
CEPSTRA: Final = 16
LONG: Final = 4096
OCTAVES: Final = (60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3840.0, 7600.0)


@attrs.frozen(eq=False)
class Model:
    """A linear model of the instrument: scores [5] = features [F] @ weights [F, 5] + bias [5], natural log-odds."""

    weights: Array
    bias: Array

    @classmethod
    def shipped(cls) -> Model:
        """The model fitted by `benchmarks/truth/instrument.py`."""
        return _shipped()


def scores(samples: Array, rate: int) -> Array:
    """Log-probability [5] of each of INSTRUMENTS for samples [n], in nats; all equal for a silent clip."""
    x = resample(samples, rate)
    if silent(x):
        return np.full(len(INSTRUMENTS), -np.log(len(INSTRUMENTS)))
    model = Model.shipped()
    raw = features(x) @ model.weights + model.bias
    return np.asarray(raw - raw.max() - np.log(np.exp(raw - raw.max()).sum()))


def classify(samples: Array, rate: int) -> str:
    """The likeliest of INSTRUMENTS."""
    return INSTRUMENTS[int(scores(samples, rate).argmax())]


def likeness(samples: Array, rate: int, instrument: str) -> float:
    """Log-odds of one instrument against the four others, in nats: 0 is as likely as not."""
    raw = scores(samples, rate)
    index = INSTRUMENTS.index(instrument)
    others = np.delete(raw, index)
    return float(raw[index] - others.max() - np.log(np.exp(others - others.max()).sum()))


def features(samples: Array) -> Array:
    """What tells timbres apart [178]: colour, its motion, attack and decay of every band, loudness, and peakedness.

    Mean and deviation of 16 cepstra of 24 log-power bands; quantiles of each band's change over 40 ms; quantiles of the
    change and of the level of loudness; contrast of peaks to valleys in each octave of a long spectrum.
    """
    spectra = power(samples, SIZE, HOP)
    bands = spectra @ _bank()
    level = np.log(bands / bands.max() + 1e-5)
    cepstra = level @ _cosines()
    change = np.quantile(level[4:] - level[:-4], (0.05, 0.25, 0.5, 0.75, 0.95), axis=0)
    total = spectra.sum(1)
    loudness = np.log(total + 1e-4 * total.max())
    steps = np.quantile(np.diff(loudness), (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98))
    depth = np.quantile(loudness - loudness.max(), (0.05, 0.1, 0.25, 0.5, 0.75))
    return np.concatenate([cepstra.mean(0), cepstra.std(0), change.ravel(), steps, depth, contrast(samples)])


def contrast(samples: Array) -> Array:
    """Log ratio of peaks to the median and of the median to valleys [14] in each octave of 256 ms spectra."""
    mean = power(samples, LONG, LONG // 2).mean(0)
    bins = frequencies(LONG)
    mean = mean + 1e-9 * mean.max()
    ratios = []
    for low, high in pairwise(OCTAVES):
        valley, middle, peak = np.quantile(mean[(bins >= low) & (bins < high)], (0.1, 0.5, 0.98))
        ratios += [np.log(peak / middle), np.log(middle / valley)]
    return np.array(ratios)


@lru_cache(maxsize=1)
def _bank() -> Array:
    edges = 500.0 * np.expm1(np.linspace(np.log1p(60.0 / 500.0), np.log1p(7600.0 / 500.0), BANDS + 2))
    bins = frequencies(SIZE)[:, None]
    rising, falling = (bins - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - bins) / np.diff(edges)[1:]
    return np.asarray(np.maximum(np.minimum(rising, falling), 0.0))


@lru_cache(maxsize=1)
def _cosines() -> Array:
    angle = np.pi * np.outer(np.arange(BANDS) + 0.5, np.arange(CEPSTRA)) / BANDS
    return np.asarray(np.cos(angle) * np.sqrt(2.0 / BANDS))


@lru_cache(maxsize=1)
def _shipped() -> Model:
    table = json.loads((files("tada_probes") / "instrument.json").read_text(encoding="utf-8"))
    return Model(np.array(table["weights"]), np.array(table["bias"]))
