"""What is true of a synthesised clip."""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

TEMPOS: Final[dict[str, tuple[float, float]]] = {"slow": (54.0, 66.0), "medium": (98.0, 114.0), "fast": (164.0, 192.0)}
"""Tempo class -> range of beats per minute."""

REGISTERS: Final[dict[str, int]] = {"low": 47, "middle": 62, "high": 78}
"""Register class -> the MIDI note number that the tonic of the melody is nearest to."""

BRIGHTNESSES: Final = ("dark", "neutral", "bright")
MODES: Final = ("major", "minor")
INSTRUMENTS: Final = ("piano", "organ", "guitar", "flute", "bell")

KEYS: Final[dict[str, int]] = {"C": 0, "D": 2, "G": 7}
"""Tonic -> pitch class. No key is the relative major or minor of another, so that the notes alone tell the mode."""


@attrs.frozen
class Attributes:
    """Everything that determines a clip: `render` of equal attributes gives equal samples.

    `bpm` is the tempo in beats per minute (one melody note a beat); 0 stands for "drawn within its class by the seed".
    `seed` decides what the other attributes leave open: the chords, the melody, the rhythm of its ornaments.
    Raises ValueError for a class that does not exist.
    """

    tempo: str = attrs.field(default="medium", validator=attrs.validators.in_(tuple(TEMPOS)))
    register: str = attrs.field(default="middle", validator=attrs.validators.in_(tuple(REGISTERS)))
    brightness: str = attrs.field(default="neutral", validator=attrs.validators.in_(BRIGHTNESSES))
    drums: bool = False
    mode: str = attrs.field(default="major", validator=attrs.validators.in_(MODES))
    key: str = attrs.field(default="C", validator=attrs.validators.in_(tuple(KEYS)))
    instrument: str = attrs.field(default="piano", validator=attrs.validators.in_(INSTRUMENTS))
    seed: int = 0
    bpm: float = 0.0

    def __attrs_post_init__(self) -> None:
        if self.bpm == 0.0:
            low, high = TEMPOS[self.tempo]
            bpm = float(np.random.default_rng((self.seed, 1)).uniform(low, high))
            object.__setattr__(self, "bpm", round(bpm, 2))


def draw(seed: int) -> Attributes:
    """Attributes drawn independently of one another from a seed.

    The extremes of tempo, register and brightness are three times as frequent as the middle, and drums are absent in
    60 % of the clips: what words describe is what the model should see most.
    """
    rng = np.random.default_rng((seed, 0))

    def pick(names: tuple[str, ...], weights: tuple[float, ...] | None = None) -> str:
        return str(names[int(rng.choice(len(names), p=weights))])

    edges = (3 / 7, 1 / 7, 3 / 7)
    return Attributes(
        tempo=pick(tuple(TEMPOS), edges),
        register=pick(tuple(REGISTERS), edges),
        brightness=pick(BRIGHTNESSES, edges),
        drums=bool(rng.random() < 0.4),
        mode=pick(MODES),
        key=pick(tuple(KEYS)),
        instrument=pick(INSTRUMENTS),
        seed=seed,
    )
