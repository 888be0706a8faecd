"""The synthesised music is what its attributes say, and its captions say nothing else."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

from tada_etude.synth import (
    BRIGHTNESSES,
    INSTRUMENTS,
    MODES,
    RATE,
    REGISTERS,
    SAMPLES,
    TEMPOS,
    Attributes,
    caption,
    draw,
    render,
)
from tada_etude.synth.captions import ADJECTIVES, PHRASES, PLAYERS
from tada_etude.synth.drums import kit
from tada_etude.synth.instruments import pitch_to_hz
from tada_etude.synth.score import SCALES, beats, compose, melody, progression

SEEDS = range(12)


def spectrum(clip: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and power."""
    return np.fft.rfftfreq(len(clip), 1 / RATE), np.abs(np.fft.rfft(clip)) ** 2


def centroid(clip: np.ndarray) -> float:
    """Mean frequency in Hz below 5 kHz, where the tone is."""
    frequency, power = spectrum(clip)
    tone = frequency < 5000
    return float((frequency * np.sqrt(power))[tone].sum() / np.sqrt(power)[tone].sum())


@pytest.mark.parametrize("seed", SEEDS)
def test_clip_is_deterministic_bounded_and_silent_at_its_ends(seed: int) -> None:
    clip = render(draw(seed))
    assert np.array_equal(clip, render(draw(seed)))
    assert clip.shape == (SAMPLES,)
    assert clip.dtype == np.float32
    assert 0.1 < np.abs(clip).max() <= 0.9
    assert abs(clip[0]) < 1e-3
    assert abs(clip[-1]) < 1e-3


def test_seed_changes_the_music() -> None:
    assert not np.array_equal(render(Attributes(seed=1)), render(Attributes(seed=2)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_bright_clips_have_a_higher_centroid_than_dark_ones(instrument: str, seed: int) -> None:
    clip = attrs.evolve(draw(seed), instrument=instrument)
    bright = centroid(render(attrs.evolve(clip, brightness="bright")))
    assert bright > 1.4 * centroid(render(attrs.evolve(clip, brightness="dark")))


@pytest.mark.parametrize("seed", SEEDS)
def test_melodies_of_the_registers_lie_an_octave_apart(seed: int) -> None:
    means = []
    for register in REGISTERS:
        clip = attrs.evolve(draw(seed), register=register)
        rng = np.random.default_rng(seed)
        roots = progression(clip.mode, len(beats(clip)), rng)
        means.append(np.mean([note.pitch for note in melody(clip, roots, rng)]))
    assert means[1] - means[0] > 11
    assert means[2] - means[1] > 11


def test_whole_clips_rise_with_the_register() -> None:
    low, middle, high = (
        np.mean([n.pitch for seed in SEEDS for n in compose(attrs.evolve(draw(seed), register=register))])
        for register in REGISTERS
    )
    assert low < middle < high
    assert high - low > 15


@pytest.mark.parametrize("seed", SEEDS)
def test_drums_alone_fill_the_top_of_the_spectrum(seed: int) -> None:
    def top(drums: bool) -> float:
        frequency, power = spectrum(render(attrs.evolve(draw(seed), drums=drums)))
        return float(power[frequency > 5500].sum() / power.sum())

    assert top(True) > 30 * top(False)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("tempo", TEMPOS)
def test_a_note_is_struck_on_every_beat_at_the_tempo(tempo: str, seed: int) -> None:
    clip = attrs.evolve(draw(seed), tempo=tempo, bpm=0.0)
    low, high = TEMPOS[tempo]
    assert low <= clip.bpm <= high
    onsets = {round(note.start, 6) for note in compose(clip)}
    assert {round(float(beat), 6) for beat in beats(clip)} <= onsets
    assert np.allclose(np.diff(beats(clip)), 60 / clip.bpm)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mode", MODES)
def test_notes_are_of_the_mode_state_its_third_and_end_on_the_tonic(mode: str, seed: int) -> None:
    clip = attrs.evolve(draw(seed), mode=mode)
    tonic = {"C": 0, "D": 2, "G": 7}[clip.key]
    notes = compose(clip)
    classes = [(note.pitch - tonic) % 12 for note in notes]
    assert set(classes) <= set(SCALES[mode])
    assert np.mean([c == (4 if mode == "major" else 3) for c in classes]) > 0.08
    last = max(note.start for note in notes)
    assert max(notes, key=lambda note: (note.start == last, note.gain)).pitch % 12 == tonic


def test_pitch_is_concert_pitch() -> None:
    assert pitch_to_hz(69) == 440
    assert pitch_to_hz(57) == 220


def test_drums_do_not_depend_on_the_music_around_them() -> None:
    onsets = np.array([0.1, 0.6, 1.1])
    one, two = (kit(onsets, 0.5, SAMPLES, np.random.default_rng(0)) for _ in range(2))
    assert np.array_equal(one, two)


@pytest.mark.parametrize("name", ["tempo", "register", "brightness", "mode", "key", "instrument"])
def test_unknown_class_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Attributes(**{name: "nonsense"})


def foreign_words(attributes: Attributes) -> list[str]:
    """Every phrase of the tables that would be false for a clip."""
    false = []
    for table in (ADJECTIVES, PHRASES):
        for (name, value), phrases in table.items():
            if getattr(attributes, name) != value:
                false += phrases
    return false + [word for name, words in PLAYERS.items() if name != attributes.instrument for word in words]


def true_words(attributes: Attributes) -> set[str]:
    """Single words of what is true, which may also occur inside a phrase that would be false elsewhere."""
    phrases = [p for t in (ADJECTIVES, PHRASES) for (n, v), ps in t.items() if getattr(attributes, n) == v for p in ps]
    return set(phrases) | set(PLAYERS[attributes.instrument])


@pytest.mark.parametrize("seed", range(300))
def test_captions_say_nothing_false(seed: int) -> None:
    attributes = draw(seed)
    text = caption(attributes, seed)
    for phrase in sorted(true_words(attributes), key=len, reverse=True):
        text = f" {text.replace(',', ' , ')} ".replace(f" {phrase} ", " | ")
    for phrase in foreign_words(attributes):
        assert f" {phrase} " not in text, (caption(attributes, seed), phrase)


def test_captions_vary_and_can_say_nothing() -> None:
    texts = {caption(Attributes(), seed) for seed in range(200)}
    assert len(texts) > 150
    assert any(not any(w in t for w in ("piano", "major", "happy", "tempo", "drum", "percussion")) for t in texts)


def test_extremes_are_drawn_more_often_than_the_middle() -> None:
    drawn = [draw(seed) for seed in range(600)]
    for name, middle in (("tempo", "medium"), ("register", "middle"), ("brightness", BRIGHTNESSES[1])):
        assert 0.08 < np.mean([getattr(a, name) == middle for a in drawn]) < 0.21
    assert 0.33 < np.mean([a.drums for a in drawn]) < 0.47
