"""Each axis is 0 for what it should not hear, grows with what it should, and equals the published formula."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable
from pathlib import Path

import attrs
import librosa
import numpy as np
import pytest
import torch
from filelock import FileLock, Timeout

import tada_mir
from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.errors import SpecError
from tada_core.testing import check_metric
from tada_etude.synth import RATE as SYNTH
from tada_etude.synth import Attributes, render
from tada_mir.chroma import chroma
from tada_mir.compiled import NOISE, compiled, lock
from tada_mir.distance import Distance
from tada_mir.harmony import Harmony
from tada_mir.loudness import loudness
from tada_mir.melody import Melody
from tada_mir.rhythm import Rhythm
from tada_mir.sound import RATE, mono, once
from tada_mir.structure import Structure

METRICS = {entry.name: entry.load()() for entry in tada_mir.tada_metrics()}
SYMMETRIC = ("harmony", "rhythm", "structure", "loudness")
CHORDS = {"A": (60, 64, 67), "B": (62, 65, 69), "C": (61, 65, 68), "D": (63, 66, 70)}
"""C and D are A and B a semitone up."""

Array = np.ndarray


def times(seconds: float, rate: int) -> Array:
    return np.arange(round(seconds * rate)) / rate


def chord(pitches: tuple[float, ...], seconds: float = 1.0, rate: int = RATE) -> Array:
    """Notes (MIDI numbers) of three harmonics."""
    t = times(seconds, rate)
    hertz = [440.0 * 2.0 ** ((pitch - 69) / 12) for pitch in pitches]
    return np.asarray(sum(0.05 * np.sin(2 * np.pi * f * h * t) / h for f in hertz for h in (1, 2, 3)))


def form(letters: str, rate: int = RATE) -> Array:
    """One second for each letter, the chord it stands for."""
    return np.concatenate([chord(CHORDS[letter], rate=rate) for letter in letters])


def clicks(bpm: float, seconds: float = 6.0, rate: int = RATE) -> Array:
    t = times(seconds, rate)
    return np.asarray(0.5 * np.sin(2 * np.pi * 1000 * t) * np.exp(-(t % (60 / bpm)) / 0.01))


def note(pitch: float, vibrato: float = 0.0, seconds: float = 1.0, rate: int = RATE) -> Array:
    """One note, its pitch going up and down by `vibrato` semitones twice a second."""
    t = times(seconds, rate)
    phase = 2 * np.pi * np.cumsum(440.0 * 2.0 ** ((pitch - 69 + vibrato * np.sin(4 * np.pi * t)) / 12)) / rate
    return np.asarray(0.2 * np.sin(phase) + 0.1 * np.sin(2 * phase))


def sine(level: float, seconds: float = 2.0, rate: int = 48000, hertz: float = 997.0) -> Array:
    """A sine whose peak is `level` dB of full scale."""
    return np.asarray(10 ** (level / 20) * np.sin(2 * np.pi * hertz * times(seconds, rate)))


def audio(samples: Array, rate: int = RATE, gain: float = 1.0) -> Audio:
    return Audio(torch.from_numpy(np.atleast_2d(samples).astype(np.float32)), rate, gain)


def between(metric: str | Distance, clip: Array | Audio, reference: Array | Audio) -> float:
    """Distance of one clip to its reference."""
    pair = [one if isinstance(one, Audio) else audio(one) for one in (clip, reference)]
    return float((METRICS[metric] if isinstance(metric, str) else metric).score(pair[:1], pair[1:])[0])


SILENCE = np.zeros(RATE)
MUSIC = form("AB")[RATE // 2 : 3 * RATE // 2] + 0.3 * clicks(120, 1.0) + 0.5 * note(76)


@pytest.mark.parametrize("metric", METRICS.values(), ids=list(METRICS))
def test_every_metric_conforms(metric: Distance) -> None:
    check_metric(metric)


def test_entries_name_their_metrics_and_the_extra_that_installs_them() -> None:
    entries = tada_mir.tada_metrics()
    assert {entry.name: METRICS[entry.name].name for entry in entries} == {entry.name: entry.name for entry in entries}
    for entry in entries:
        lack = attrs.evolve(entry, requires=("absent_module",)).lack()
        assert lack is not None
        assert lack.endswith('pip install "tada-core[mir]"')


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    "samples", [MUSIC, SILENCE, np.stack([MUSIC, 0.5 * MUSIC])], ids=["music", "silence", "stereo"]
)
def test_a_copy_is_at_distance_exactly_zero(name: str, samples: Array) -> None:
    assert between(name, samples, samples.copy()) == 0.0


@pytest.mark.parametrize("name", SYMMETRIC)
def test_four_axes_are_symmetric(name: str) -> None:
    a, b = audio(form("ABBA") + 0.5 * clicks(120, 4.0)), audio(form("ABABB") + 0.2 * clicks(100, 5.0))
    assert between(name, a, b) == pytest.approx(between(name, b, a), abs=1e-12)
    assert between(name, a, b) > 0.01


# Harmony


def test_harmony_grows_as_pitch_classes_are_lost() -> None:
    c, a_minor, f, f_sharp = (60, 64, 67), (57, 60, 64), (60, 65, 69), (61, 66, 70)
    away = [between("harmony", chord(other), chord(c)) for other in (c, a_minor, f, f_sharp)]
    assert away == sorted(set(away))
    assert away[0] == 0.0
    assert away[-1] > 0.8


def test_harmony_does_not_hear_loudness_and_hardly_the_octave() -> None:
    assert between("harmony", 0.1 * form("AB"), form("AB")) == pytest.approx(0.0, abs=1e-4)
    octave = between("harmony", chord((72, 76, 79)), chord((60, 64, 67)))
    assert octave < 0.1 * between("harmony", chord((61, 65, 68)), chord((60, 64, 67)))


def test_harmony_is_the_published_formula() -> None:
    a, b = audio(form("ABCD")), audio(form("ABDC"))
    left, right = (librosa.feature.chroma_cqt(y=mono(clip), sr=RATE) for clip in (a, b))
    cosine = (left * right).sum(0) / (np.linalg.norm(left, axis=0) * np.linalg.norm(right, axis=0))
    assert between("harmony", a, b) == pytest.approx(1 - cosine.mean(), abs=1e-6)
    assert 0.2 < between("harmony", a, b) < 0.8


def test_harmony_of_frames_that_are_silent_in_one_clip_or_both() -> None:
    tone, none = np.eye(12)[[0]], np.zeros((1, 12))
    frames = [np.concatenate(pair) for pair in ((tone, none), (tone, tone), (none, none))]
    assert [Harmony().distance(frames[0], one) for one in frames] == [0.0, 0.5, 0.5]
    assert between("harmony", SILENCE, chord((60,))) == 1.0


# Structure


def test_structure_hears_the_form_and_not_the_notes() -> None:
    away = {letters: between("structure", form(letters), form("ABAB")) for letters in ("BABA", "CDCD", "ABBA", "AABB")}
    assert max(away["BABA"], away["CDCD"]) < 0.02
    assert min(away["ABBA"], away["AABB"]) > 0.9
    assert between("harmony", form("CDCD"), form("ABAB")) > 0.8


def test_structure_is_the_published_formula_and_never_above_one() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = (rng.random((8, 12)) for _ in range(2))
        left, right = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
        pairs = np.triu_indices(8, k=1)
        r = np.corrcoef((left @ left.T)[pairs], (right @ right.T)[pairs])[0, 1]
        assert Structure().distance(left, right) == pytest.approx(1 - max(r, 0.0), abs=1e-12)


def test_structure_where_there_is_none() -> None:
    flat, some = np.tile(np.eye(12)[0], (6, 1)), np.eye(12)[[0, 1, 0, 1, 0, 1]]
    assert Structure().distance(flat, np.zeros((6, 12))) == 0.0
    assert Structure().distance(flat, some) == Structure().distance(some, flat) == 1.0
    assert Structure().distance(some[:1], some[:1]) == 0.0


# Rhythm


def test_rhythm_is_one_minus_the_f_measure_within_70_milliseconds() -> None:
    beats = np.array([1.0, 2.0, 3.0, 4.0])
    kept, lost = (beats + np.array([0.0, 0.0, away, -away]) for away in (0.069, 0.071))
    assert Rhythm().distance(beats, kept) == 0.0
    assert Rhythm().distance(beats, lost) == 0.5
    assert Rhythm().distance(beats, beats[:2]) == pytest.approx(1 - 2 * 1.0 * 0.5 / 1.5)


def test_rhythm_hears_the_tempo_of_clicks_and_not_their_level() -> None:
    assert between("rhythm", 0.2 * clicks(120), clicks(120)) == 0.0
    assert between("rhythm", clicks(121), clicks(120)) < 0.2
    assert between("rhythm", clicks(90), clicks(120)) > 0.5


def test_rhythm_of_clips_without_beats_counts_or_is_left_out() -> None:
    none, some = np.zeros(0), np.array([1.0, 2.0])
    pairs = [(none, none), (none, some), (some, none)]
    assert [Rhythm().distance(*pair) for pair in pairs] == [0.0, 1.0, 1.0]
    assert np.isnan([Rhythm("omit").distance(*pair) for pair in pairs]).all()
    assert Rhythm("omit").distance(some, some) == 0.0
    assert between("rhythm", SILENCE, clicks(120)) == between("rhythm", clicks(120), note(60)) == 1.0
    with pytest.raises(ValueError, match="beatless"):
        Rhythm("never")  # type: ignore[arg-type]


# Melody


def test_melody_is_one_minus_the_raw_pitch_accuracy() -> None:
    hertz = np.array([0.0, 220.0, 220.0, 440.0, 440.0])
    cents = np.array([0.0, 49.0, -51.0, 1200.0, 0.0])
    assert Melody().distance(hertz, hertz * 2 ** (cents / 1200)) == 0.5
    assert Melody().distance(hertz, np.append(hertz, 300.0)) == 0.0


def test_melody_counts_only_what_is_voiced_in_the_reference() -> None:
    whole, half = np.full(4, 220.0), np.array([220.0, 220.0, 0.0, 0.0])
    assert Melody().distance(half, whole) == 0.0
    assert Melody().distance(whole, half) == 0.5
    none = np.zeros(4)
    assert [Melody().distance(*pair) for pair in ((none, none), (none, whole), (whole, none))] == [0.0, 1.0, 1.0]


def test_melody_hears_other_notes_and_not_their_level() -> None:
    tune = np.concatenate([note(60, seconds=0.5), note(64, seconds=0.5)])
    other = np.concatenate([note(60, seconds=0.5), note(76, seconds=0.5)])
    assert between("melody", 0.2 * tune, tune) == 0.0
    assert between("melody", other, tune) == pytest.approx(0.5, abs=0.1)


def test_melody_forgives_half_a_semitone_of_vibrato_and_not_two() -> None:
    assert between("melody", note(60, vibrato=0.3), note(60)) == 0.0
    assert 0.3 < between("melody", note(60, vibrato=2.0), note(60)) < 1.0


# Loudness


@pytest.mark.parametrize("decibel", [-6.0206, -20.0, 3.0])
def test_loudness_is_the_gain_in_decibels(decibel: float) -> None:
    changed = between("loudness", 10 ** (decibel / 20) * MUSIC, MUSIC)
    assert changed == pytest.approx(abs(decibel), abs=0.02)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_loudness_is_what_the_standard_says_of_a_sine(rate: int) -> None:
    """BS.1770-4: 997 Hz at full scale in one channel is -3.01 LKFS; EBU Tech 3341, 1: -23 dB in two is -23 LUFS."""
    assert loudness(audio(sine(0.0, rate=rate), rate)) == pytest.approx(-3.01, abs=0.1)
    assert loudness(audio(np.stack([sine(-23.0, rate=rate)] * 2), rate)) == pytest.approx(-23.0, abs=0.1)


def test_loudness_leaves_out_what_is_quiet() -> None:
    quiet, loud = sine(-36.0, 2.0), sine(-20.0, 6.0)
    gated = loudness(audio(np.concatenate([quiet, loud, quiet]), 48000))
    assert gated == pytest.approx(loudness(audio(loud, 48000)), abs=0.3)


def test_loudness_of_silence_is_the_gate() -> None:
    assert loudness(audio(SILENCE)) == loudness(audio(sine(-90.0), 48000)) == -70.0
    assert between("loudness", SILENCE, sine(-20.0, rate=RATE)) == pytest.approx(70 - 20 - 3.01, abs=0.2)


@pytest.mark.parametrize("samples", [1, 2, 100, 8820, 19199, 19200, 19201])
def test_loudness_of_a_clip_of_any_length_is_a_number(samples: int) -> None:
    assert -70.0 <= loudness(audio(sine(-10.0, 2.0, hertz=2000.0)[:samples], 48000)) < -8.0


def test_loudness_takes_the_gain_of_storage_back() -> None:
    assert between("loudness", audio(0.5 * MUSIC, gain=0.5), MUSIC) == pytest.approx(0.0, abs=1e-6)


def test_a_stored_clip_is_as_loud_as_it_was(tmp_path: Path) -> None:
    loud = audio(4.0 * MUSIC / np.abs(MUSIC).max())
    stored = Audio.load(loud.save(tmp_path / "loud.flac"))
    assert np.abs(stored.samples.numpy()).max() <= 1.0
    assert between("loudness", stored, loud) == pytest.approx(0.0, abs=1e-3)


def test_loudness_of_more_than_five_channels_is_refused() -> None:
    with pytest.raises(SpecError, match="1 to 5 channels, not 6"):
        between("loudness", np.tile(MUSIC, (6, 1)), MUSIC)


# All of them


@pytest.mark.parametrize(("name", "most"), [("harmony", 0.02), ("structure", 0.02), ("rhythm", 0), ("loudness", 0.1)])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_rates_may_differ(name: str, most: float, rate: int) -> None:
    fine, coarse = (form("ABA", one) + 0.5 * clicks(120, 3.0, one) for one in (rate, RATE))
    assert between(name, audio(fine, rate), coarse) <= most


def test_melody_at_another_rate() -> None:
    assert between("melody", audio(note(64, rate=44100), 44100), note(64)) == 0.0


@pytest.mark.parametrize("name", [name for name in METRICS if name != "loudness"])
def test_two_channels_are_heard_as_their_mean(name: str) -> None:
    assert between(name, np.stack([MUSIC, MUSIC]), MUSIC) == pytest.approx(0.0, abs=1e-6)
    assert between(name, np.stack([MUSIC + note(60), MUSIC - note(60)]), MUSIC) < 0.01


@pytest.mark.parametrize("name", ["harmony", "structure", "melody"])
def test_the_end_of_the_longer_clip_is_left_out(name: str) -> None:
    a, b = (np.concatenate([note(pitch, seconds=0.5) for pitch in pitches]) for pitches in ((60, 67), (60, 67, 61)))
    assert between(name, b, a) < 0.1
    assert between(name, a, b) < 0.1


def test_beats_after_the_end_of_the_shorter_clip_are_lost() -> None:
    assert 0.1 < between("rhythm", clicks(120, 4.0), clicks(120, 6.0)) < 0.5


@pytest.mark.parametrize(
    ("change", "moved", "kept"),
    [
        ({"key": "D"}, ("harmony",), ("rhythm", "structure", "loudness")),
        ({"bpm": 130.0}, ("rhythm", "structure"), ("loudness",)),
        ({"brightness": "bright"}, ("loudness",), ("harmony", "rhythm", "structure")),
    ],
    ids=["key", "tempo", "brightness"],
)
def test_in_synthesised_music_each_change_is_heard_on_its_axes(
    change: dict[str, object], moved: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    before = [Attributes(drums=True, bpm=100.0, seed=seed) for seed in range(3)]
    reference = [audio(render(one), SYNTH) for one in before]
    clips = [audio(render(attrs.evolve(one, **change)), SYNTH) for one in before]
    away = {name: float(METRICS[name].score(clips, reference).mean()) for name in (*moved, *kept)}
    assert min(away[name] for name in moved) > 0.3
    assert max(away[name] for name in kept) < 0.25


def test_a_reference_is_heard_once_for_all_clips_and_for_both_axes_of_chroma(monkeypatch: pytest.MonkeyPatch) -> None:
    chroma(audio(SILENCE))  # librosa's loops are compiled on a sound of their own first
    heard = []
    real: Callable[..., Array] = librosa.feature.chroma_cqt
    monkeypatch.setattr(librosa.feature, "chroma_cqt", lambda **given: heard.append(1) or real(**given))
    clips, reference = [audio(chord((60 + shift,))) for shift in range(3)], audio(chord((60,)))
    for name in ("harmony", "structure"):
        METRICS[name].score(clips, [reference] * 3)
    assert len(heard) == 4
    assert chroma(reference) is chroma(reference)


def test_what_was_heard_is_forgotten_with_its_clip() -> None:
    count = []

    @once
    def length(clip: Audio) -> int:
        count.append(1)
        return clip.samples.shape[-1]

    for size in range(1, 40):
        clip = audio(np.zeros(size))
        assert length(clip) == length(clip) == size
        del clip
        gc.collect(0)
    assert len(count) == 39


def test_loops_are_compiled_before_the_first_clip_and_by_one_process_at_a_time() -> None:
    seen = []

    @compiled
    def analysis(samples: Array) -> int:
        with contextlib.suppress(Timeout):
            FileLock(lock()).acquire(timeout=0).lock.release()
            seen.append("free")
        seen.append("noise" if samples is NOISE else "clip")
        return len(samples)

    assert [analysis(np.zeros(3)), analysis(np.zeros(4))] == [3, 4]
    assert seen == ["noise", "free", "clip", "free", "clip"]


CONCEPT = Concept("idea", "{p}, more", "{p}, less", ("a tune",), ("a song",))


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("against", "words"),
    [
        (None, "one Audio for each clip"),
        (CONCEPT, "one Audio for each clip"),
        ([], "1 clips and 0 references"),
        ([audio(np.zeros(0))], "reference 0 is empty"),
    ],
)
def test_what_cannot_be_compared_is_refused(name: str, against: object, words: str) -> None:
    with pytest.raises(SpecError, match=f"'{name}'.*{words}|{words}.*'{name}'"):
        METRICS[name].score([audio(SILENCE)], against)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", METRICS)
def test_no_clips_have_no_scores(name: str) -> None:
    assert METRICS[name].score([], []).shape == (0,)
