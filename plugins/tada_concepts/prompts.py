"""Base prompts: what a person might type, before any concept is named. Written for this project."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

FITTING: Final = (
    "a tune",
    "a melody",
    "some music",
    "a piece of music",
    "a song",
    "an instrumental",
    "a theme",
    "a track",
    "piano music",
    "a piano tune",
    "a piano melody",
    "an organ piece",
    "organ music",
    "a tune on the organ",
    "guitar music",
    "a guitar melody",
    "a song on the guitar",
    "flute music",
    "a flute tune",
    "a melody for flute",
    "a tune on bells",
    "bell music",
    "music with bells",
    "a tune for the evening",
    "music to walk to",
    "a song for a friend",
    "a theme for a film",
    "music for a garden",
    "a simple melody",
    "a short tune",
    "a short piece for piano",
    "a little song for guitar",
    "music by the river",
    "a happy tune",
    "a sad melody",
    "a cheerful song",
    "a melancholy theme",
    "a calm tune",
    "a lively piece",
    "music with drums",
    "a song without drums",
    "a deep tone",
    "a warm organ tune",
    "a mellow guitar song",
    "a track with a beat",
    "a tune in a minor key",
    "a tune in a major key",
    "music with high notes",
)
"""Prompts to fit on."""

EVALUATION: Final = (
    "a piece for piano",
    "a tune played on the piano",
    "piano song",
    "a piece on the organ",
    "an organ melody",
    "organ theme",
    "a guitar piece",
    "a tune played on the guitar",
    "acoustic guitar music",
    "a flute melody",
    "a piece for wooden flute",
    "flute theme",
    "a melody on bells",
    "a song with chimes",
    "glockenspiel music",
    "a piece of instrumental music",
    "the sound of a melody",
    "here is a short tune",
    "an evening tune",
    "a tune for a walk",
    "music for a film",
    "a song that ends well",
    "a theme to listen to",
    "music for a quiet room",
    "a simple song",
    "an old melody",
    "a dance for two",
    "a joyful tune",
    "a sorrowful song",
    "a relaxed melody",
    "an energetic track",
    "a soft piano piece",
    "a crisp guitar tune",
    "a rhythmic song",
    "a low organ melody",
    "a tune without percussion",
)
"""Other prompts, to evaluate on."""


@cache
def written(name: str) -> tuple[str, ...]:
    """The prompts of the papers' kinds: "bases" to fit on, "evaluation" to evaluate on; neighbours differ in kind."""
    return tuple((Path(__file__).with_name("texts") / f"{name}.txt").read_text(encoding="utf-8").splitlines())


def free_of(prompts: Iterable[str], words: Iterable[str]) -> tuple[str, ...]:
    """The prompts that hold none of the words, compared as whole words in lower case."""
    forbidden = {word.lower() for word in words}
    return tuple(prompt for prompt in prompts if not forbidden & set(re.findall(r"[a-z]+", prompt.lower())))
