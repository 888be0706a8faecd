"""The spectral distance is a distance, and grows with what is changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.errors import SpecError
from tada_preservation.metric import SpectralDistance
from tada_preservation.spectral import distance, picture

RATE = 16000


def notes(semitones: float = 0.0, level: float = 0.1, rate: int = RATE, beat: float = 0.5) -> np.ndarray:
    """Two seconds of a three-note arpeggio, transposed."""
    t = np.arange(2 * rate) / rate
    wave = np.zeros_like(t)
    for h in (1, 2, 3, 4):
        pitch = 60 + np.array([0, 4, 7])[(t // beat).astype(int) % 3] + semitones
        wave += np.sin(2 * np.pi * np.cumsum(h * 440 * 2 ** ((pitch - 69) / 12)) / rate) / h
    return np.asarray(level * wave * np.exp(-(t % beat) / 0.3))


def noise(seed: int, level: float) -> np.ndarray:
    return np.asarray(level * np.random.default_rng(seed).standard_normal(2 * RATE))


def audio(samples: np.ndarray, rate: int = RATE) -> Audio:
    return Audio(torch.from_numpy(samples[None].astype(np.float32)), rate)


def between(a: np.ndarray, b: np.ndarray) -> float:
    return float(SpectralDistance().score([audio(a)], [audio(b)])[0])


def test_a_clip_is_at_distance_zero_from_itself_and_from_its_copy() -> None:
    assert between(notes(), notes()) == 0.0
    assert between(np.zeros(RATE), np.zeros(RATE)) == 0.0


@given(st.tuples(*[st.integers(0, 1000)] * 3), st.floats(0.001, 0.3))
@settings(max_examples=15, deadline=None)
def test_it_is_symmetric_positive_and_keeps_the_triangle_inequality(seeds: tuple[int, ...], level: float) -> None:
    a, b, c = (picture(notes(seed % 12) + noise(seed, level), RATE) for seed in seeds)
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-9
    assert (distance(a, b) > 0) == (seeds[0] != seeds[1])


def test_more_noise_is_further_away() -> None:
    away = [between(notes() + noise(0, level), notes()) for level in (0.0, 0.001, 0.003, 0.01, 0.03, 0.1)]
    assert away == sorted(set(away))


def test_a_larger_shift_of_pitch_is_further_away_within_a_tone() -> None:
    away = [between(notes(shift), notes()) for shift in (0.0, 0.25, 0.5, 1.0, 2.0)]
    assert away == sorted(set(away))


def test_a_larger_change_of_loudness_is_further_away() -> None:
    away = [between(notes(level=level), notes()) for level in (0.1, 0.08, 0.05, 0.02)]
    assert away == sorted(set(away))


def test_another_rhythm_is_away_though_the_notes_are_the_same() -> None:
    assert between(notes(beat=0.25), notes()) > 0.2


def test_rates_may_differ() -> None:
    fine = audio(notes(rate=48000), 48000)
    near = SpectralDistance().score([fine], [audio(notes())])[0]
    assert near < 0.1 * between(notes(2.0), notes())


def test_scores_are_one_number_a_clip_and_do_not_depend_on_the_batch() -> None:
    clips = [audio(notes(shift)) for shift in (0.0, 1.0, 2.0)]
    reference = audio(notes())
    found = SpectralDistance().score(clips, [reference] * 3)
    assert found.dtype == np.float64
    assert found.tolist() == [float(SpectralDistance().score([clip], [reference])[0]) for clip in clips]
    assert SpectralDistance().score([], []).shape == (0,)


CONCEPT = Concept("idea", "{p}, more", "{p}, less", ("a tune",), ("a song",))


@pytest.mark.parametrize(
    ("against", "words"),
    [
        (None, "one Audio for each clip"),
        (CONCEPT, "one Audio for each clip"),
        ([], "1 clips and 0 references"),
        ([audio(notes()[:RATE])], r"a clip of 2\.00 s has a reference of 1\.00 s"),
    ],
)
def test_what_cannot_be_compared_is_refused(against: object, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        SpectralDistance().score([audio(notes())], against)  # type: ignore[arg-type]


def test_an_empty_clip_is_refused() -> None:
    empty = Audio(torch.zeros(1, 0), RATE)
    with pytest.raises(SpecError, match="empty clip"):
        SpectralDistance().score([empty], [empty])
