"""Probes find in the audio what was put there, and nothing that was not."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.errors import SpecError
from tada_etude.synth import Attributes, draw, render
from tada_probes.brightness import brightness
from tada_probes.drums import drums
from tada_probes.instrument import INSTRUMENTS, classify, likeness, scores
from tada_probes.metric import Probes
from tada_probes.mode import chroma, margin, mode
from tada_probes.probe import PROBES
from tada_probes.register import register
from tada_probes.signal import RATE, power, resample
from tada_probes.tempo import tempo

TRUTH = Path(__file__).parents[1] / "benchmarks" / "truth"
SECONDS = 4.096

Array = np.ndarray


def times(rate: int = RATE) -> Array:
    return np.arange(round(SECONDS * rate)) / rate


def tone(pitches: tuple[float, ...], slope: float = 1.0, rate: int = RATE, beat: float = 0.5) -> Array:
    """Notes (MIDI numbers) struck together every `beat` seconds; harmonic h has level h^-slope."""
    t = times(rate)
    envelope = np.exp(-(t % beat) / 0.2) * np.minimum((t % beat) / 0.01, 1.0)
    wave = np.zeros_like(t)
    for pitch in pitches:
        fundamental = 440.0 * 2.0 ** ((pitch - 69) / 12)
        for h in range(1, int(7000 / fundamental) + 1):
            wave += h**-slope * np.sin(2 * np.pi * h * fundamental * t + h)
    return 0.1 * envelope * wave


def bursts(beat: float) -> Array:
    """Short noise above 5 kHz on every beat."""
    t = times()
    noise = np.random.default_rng(0).standard_normal(len(t))
    spectrum = np.fft.rfft(noise)
    spectrum[np.fft.rfftfreq(len(t), 1 / RATE) < 5000] = 0
    return 0.05 * np.fft.irfft(spectrum, len(t)) * np.exp(-(t % beat) / 0.02)


def audio(samples: Array, rate: int = RATE, channels: int = 1) -> Audio:
    return Audio(torch.from_numpy(np.tile(samples, (channels, 1)).astype(np.float32)), rate)


def concept(probe: str) -> Concept:
    return Concept("idea", "{p}, more", "{p}, less", ("a tune",), ("a song",), probe=probe)


@pytest.mark.parametrize("bpm", [56, 60, 72, 90, 105, 120, 150, 175, 190])
def test_tempo_is_the_rate_of_struck_notes(bpm: int) -> None:
    assert tempo(tone((60, 64, 67), beat=60 / bpm), RATE) == pytest.approx(bpm, rel=0.06)


def test_hi_hats_at_twice_the_rate_do_not_double_the_tempo() -> None:
    plain = tone((60, 64, 67), beat=60 / 80)
    assert tempo(plain + bursts(60 / 160), RATE) == pytest.approx(tempo(plain, RATE), rel=0.1)


def test_brightness_grows_with_the_overtones_and_not_with_drums() -> None:
    darker, brighter = (tone((60, 64, 67), slope) for slope in (2.5, 0.8))
    assert brightness(brighter, RATE) > brightness(darker, RATE) + 6
    assert brightness(darker + bursts(0.25), RATE) == pytest.approx(brightness(darker, RATE), abs=3)


def test_brightness_moves_less_over_an_octave_than_between_dark_and_bright() -> None:
    low, high = (brightness(tone((pitch,), 1.5), RATE) for pitch in (57, 69))
    dark, bright = (brightness(tone((57,), slope), RATE) for slope in (2.5, 0.8))
    assert abs(high - low) < bright - dark


@pytest.mark.parametrize("pitch", [45, 57, 69, 76])
def test_register_is_the_pitch_of_a_single_note_and_rises_by_the_octave(pitch: int) -> None:
    assert register(tone((pitch,), 2.0), RATE) == pytest.approx(pitch, abs=1.5)
    octave = register(tone((pitch + 12,), 2.0), RATE) - register(tone((pitch,), 2.0), RATE)
    assert octave == pytest.approx(12, abs=1.5)


def test_drums_are_the_noise_bursts_and_not_bright_notes() -> None:
    bright = tone((60, 64, 67), 0.5)
    assert drums(bright + bursts(0.25), RATE) > drums(bright, RATE) + 10
    assert drums(bright + 2 * bursts(0.25), RATE) > drums(bright + bursts(0.25), RATE)


@pytest.mark.parametrize("root", range(55, 67))
def test_mode_is_positive_for_a_major_and_negative_for_a_minor_cadence_in_every_key(root: int) -> None:
    major = tone((root, root + 4, root + 7)) + 0.5 * tone((root + 5, root + 9, root + 12))
    minor = tone((root, root + 3, root + 7)) + 0.5 * tone((root + 5, root + 8, root + 12))
    assert mode(major, RATE) > 0.05
    assert mode(minor, RATE) < -0.05


@given(st.lists(st.floats(0.01, 1.0), min_size=12, max_size=12), st.integers(0, 11))
@settings(max_examples=50, deadline=None)
def test_the_margin_of_modes_does_not_depend_on_the_key(classes: list[float], key: int) -> None:
    weights = np.array(classes)
    assert margin(np.roll(weights, key)) == pytest.approx(margin(weights), abs=1e-9)
    assert -2 <= margin(weights) <= 2


def test_the_margin_of_no_notes_is_zero() -> None:
    assert margin(np.zeros(12)) == 0.0


def test_chroma_names_the_notes_of_a_chord() -> None:
    weights = chroma(tone((60, 64, 67), 2.0))
    assert set(np.argsort(weights)[-3:]) == {0, 4, 7}


@pytest.fixture(scope="module")
def drawn() -> tuple[list[Attributes], list[Array]]:
    attributes = [attrs.evolve(draw(90_000_000 + i), drums=i % 2 == 0) for i in range(60)]
    return attributes, [render(one).astype(np.float64) for one in attributes]


@pytest.mark.parametrize(
    ("name", "high", "low", "least"),
    [
        ("tempo", "fast", "slow", 0.97),
        ("brightness", "bright", "dark", 0.97),
        ("register", "high", "low", 0.97),
        ("drums", True, False, 0.97),
        ("mode", "major", "minor", 0.93),
    ],
)
def test_classes_of_synthesised_music_are_told_apart(
    drawn: tuple[list[Attributes], list[Array]], name: str, high: object, low: object, least: float
) -> None:
    attributes, clips = drawn
    auc: Callable[[Array, Array], float] = runpy.run_path(str(TRUTH / "roc.py"))["auc"]
    sides = []
    for side in (high, low):
        chosen = [clip for one, clip in zip(attributes, clips, strict=True) if getattr(one, name) == side]
        sides.append(np.array([PROBES[name].measure(clip, RATE) for clip in chosen]))
    assert auc(*sides) >= least


def test_instruments_of_synthesised_music_are_named(drawn: tuple[list[Attributes], list[Array]]) -> None:
    attributes, clips = drawn
    right = [classify(clip, RATE) == one.instrument for one, clip in zip(attributes, clips, strict=True)]
    assert np.mean(right) >= 0.9


def test_scores_of_instruments_are_log_probabilities(drawn: tuple[list[Attributes], list[Array]]) -> None:
    clip = drawn[1][0]
    found = scores(clip, RATE)
    assert np.exp(found).sum() == pytest.approx(1.0)
    best = INSTRUMENTS[int(found.argmax())]
    assert likeness(clip, RATE, best) == pytest.approx(found.max() - np.log1p(-np.exp(found.max())), abs=1e-6)
    assert likeness(clip, RATE, best) == max(likeness(clip, RATE, name) for name in INSTRUMENTS)


@pytest.mark.parametrize("name", PROBES)
def test_loudness_does_not_matter(name: str, drawn: tuple[list[Attributes], list[Array]]) -> None:
    measure = PROBES[name].measure
    clip = drawn[1][1]
    assert measure(0.1 * clip, RATE) == pytest.approx(measure(clip, RATE), rel=1e-2, abs=1e-2)


@pytest.mark.parametrize("name", PROBES)
def test_silence_and_noise_have_finite_measures(name: str) -> None:
    noise = np.random.default_rng(0).standard_normal(RATE)
    for clip in (np.zeros(2 * RATE), np.full(2 * RATE, 0.1), 0.1 * noise):
        assert np.isfinite(PROBES[name].measure(clip, RATE))


@pytest.mark.parametrize("name", ["tempo", "brightness", "register", "mode"])
def test_the_sampling_rate_does_not_matter(name: str) -> None:
    measure = PROBES[name].measure
    ours, theirs = tone((60, 63, 67)), tone((60, 63, 67), rate=44100)
    assert measure(theirs, 44100) == pytest.approx(measure(ours, RATE), rel=0.02, abs=0.02)


def test_resampling_keeps_a_sine() -> None:
    t = times(48000)
    found = resample(np.sin(2 * np.pi * 500 * t) * np.hanning(len(t)), 48000)
    expected = np.sin(2 * np.pi * 500 * times()) * np.hanning(len(t))[::3]
    assert np.abs(found - expected).max() < 1e-3


def test_a_sine_of_amplitude_one_has_power_one() -> None:
    spectra = power(np.sin(2 * np.pi * 1000 * times()), 1024, 256)
    assert spectra.max(1)[8:-8] == pytest.approx(1.0, rel=1e-3)


def test_the_metric_measures_the_probe_of_the_concept() -> None:
    clips = [audio(tone((60,), beat=0.5)), audio(tone((60,), beat=1.0), channels=2)]
    found = Probes().score(clips, concept("tempo"))
    assert found.dtype == np.float64
    assert found == pytest.approx([120, 60], rel=0.06)
    assert Probes().unit_for(concept("tempo")) == "beats per minute"
    assert Probes().unit_for(concept("piano")) == "nats"
    assert Probes().score([], concept("tempo")).shape == (0,)


@pytest.mark.parametrize(
    ("against", "words"),
    [
        (None, "pass the concept"),
        ([audio(np.ones(RATE))], "pass the concept"),
        (concept(""), "'idea' has no probe; give it one of tempo, brightness"),
        (concept("temp"), "unknown probe 'temp'; nearest: tempo"),
    ],
)
def test_what_cannot_be_measured_is_refused(against: object, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        Probes().score([audio(np.ones(RATE))], against)  # type: ignore[arg-type]


def test_a_clip_too_short_for_a_tempo_is_refused() -> None:
    with pytest.raises(SpecError, match=r"clip 1 lasts 0\.50 s"):
        Probes().score([audio(np.ones(RATE)), audio(np.ones(RATE // 2))], concept("tempo"))


def test_the_area_under_the_curve_counts_ordered_pairs() -> None:
    roc = runpy.run_path(str(TRUTH / "roc.py"))
    assert roc["auc"](np.array([3.0, 2.0]), np.array([1.0, 0.0])) == 1.0
    assert roc["auc"](np.array([0.0]), np.array([1.0])) == 0.0
    assert roc["auc"](np.array([1.0, 3.0]), np.array([1.0, 2.0])) == pytest.approx(0.625)
    low, high = roc["interval"](np.arange(50.0), np.arange(50.0) - 10)
    assert low < roc["auc"](np.arange(50.0), np.arange(50.0) - 10) < high
