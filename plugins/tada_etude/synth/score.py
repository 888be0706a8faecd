"""From attributes to notes: a chord progression, a melody over it, an accompaniment on every beat."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from tada_etude.synth.attributes import KEYS, REGISTERS, Attributes

START: Final = 0.04
"""Seconds before the first beat, which is always a downbeat."""

LENGTH: Final = 4.096
"""Seconds of a clip."""

ACCENTS: Final = (1.0, 0.62, 0.82, 0.62)
"""Loudness of the four beats of a bar: what makes a metre out of a pulse."""

SCALES: Final = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}

CHORDS: Final = {"major": {"I": 0, "IV": 3, "V": 4}, "minor": {"I": 0, "IV": 3, "VI": 5}}
"""Degree of the scale that a chord is built on. Minor has no V, whose usual major third would blur the mode."""


@attrs.frozen
class Note:
    """One note: onset and duration in seconds, pitch as a MIDI number, loudness (1 = an accented melody note)."""

    start: float
    length: float
    pitch: int
    gain: float


def beats(attributes: Attributes) -> NDArray[np.float64]:
    """Onsets of the beats in seconds; the last one leaves room for a note to sound."""
    beat = 60.0 / attributes.bpm
    count = int((LENGTH - START - 0.3) / beat) + 1
    return START + beat * np.arange(count)


def progression(mode: str, count: int, rng: np.random.Generator) -> list[int]:
    """One chord root (degree of the scale) per beat: it begins and ends on the tonic and comes back to it often."""
    span = 1 if count <= 5 else 2
    others = [degree for degree in CHORDS[mode].values() if degree]
    segments = -(-count // span)
    roots = [0 if i % 2 == 0 or rng.random() < 0.25 else int(rng.choice(others)) for i in range(segments)]
    roots[-1] = 0
    if span == 2 and segments > 2 and roots[-2] == 0:
        roots[-2] = others[-1]
    return [roots[i // span] for i in range(count)]


def degree_to_pitch(degree: int, attributes: Attributes, base: int) -> int:
    """MIDI number of a degree of the scale (any integer, 7 an octave) above the tonic nearest to `base`."""
    tonic = base + (KEYS[attributes.key] - base + 6) % 12 - 6
    octave, step = divmod(degree, 7)
    return tonic + 12 * octave + SCALES[attributes.mode][step]


def melody(attributes: Attributes, roots: list[int], rng: np.random.Generator) -> list[Note]:
    """One note a beat: chord tones with many thirds, now and then a pair of quavers; the last note is the tonic."""
    onsets, beat = beats(attributes), 60.0 / attributes.bpm
    base = REGISTERS[attributes.register]
    notes: list[Note] = []
    last = 0
    for i, (onset, root) in enumerate(zip(onsets, roots, strict=True)):
        tones = [root + 7 * k + t for k in (-1, 0, 1) for t in (0, 2, 2, 4)]
        tones = [tone for tone in tones if -2 <= tone <= 8 and tone != last]
        nearness = np.array([np.exp(-0.35 * abs(tone - last)) for tone in tones])
        degree = int(rng.choice(tones, p=nearness / nearness.sum()))
        if i == 0:
            degree = int(rng.choice((0, 2, 4)))
        final = i == len(roots) - 1
        if final:
            degree = 0 if last < 5 else 7
        split = not final and i % 2 == 1 and attributes.tempo != "fast" and rng.random() < 0.15
        gain = ACCENTS[i % 4]
        length = LENGTH - onset if final else beat
        notes.append(Note(onset, length / (1 + split), degree_to_pitch(degree, attributes, base), gain))
        if split:
            passing = degree + int(rng.choice((-1, 1)))
            notes.append(Note(onset + beat / 2, beat / 2, degree_to_pitch(passing, attributes, base), 0.5))
        last = degree
    return notes


def accompaniment(attributes: Attributes, roots: list[int], rng: np.random.Generator) -> list[Note]:
    """A chord on every beat under the melody: whole, or bass and third on strong beats, third and fifth on weak."""
    onsets, beat = beats(attributes), 60.0 / attributes.bpm
    low = attributes.register == "low"
    base = REGISTERS[attributes.register] - (0 if low else 12)
    pattern = int(rng.integers(3))
    notes: list[Note] = []
    for i, (onset, root) in enumerate(zip(onsets, roots, strict=True)):
        final = i == len(roots) - 1
        if final or pattern == 0:
            tones: tuple[int, ...] = (0, 2, 4)
        elif pattern == 1:
            tones = (0, 4) if i % 2 == 0 else (2, 4)
        else:
            tones = (0, 2) if i % 2 == 0 else (2, 4)
        length = LENGTH - onset if final else beat
        bass = root - 7 if root >= 4 and not low else root
        gain = 0.5 * ACCENTS[i % 4]
        notes += [Note(onset, length, degree_to_pitch(bass + t, attributes, base), gain) for t in tones]
    return notes


def compose(attributes: Attributes) -> list[Note]:
    """The notes of a clip, in order of onset; a pure function of the attributes."""
    rng = np.random.default_rng((attributes.seed, 2))
    roots = progression(attributes.mode, len(beats(attributes)), rng)
    notes = melody(attributes, roots, rng) + accompaniment(attributes, roots, rng)
    return sorted(notes, key=lambda note: note.start)
