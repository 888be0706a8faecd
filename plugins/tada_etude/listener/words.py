"""The words the listener reads: those of etude's captions, whole. Any other word is not heard at all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from tada_core.errors import SpecError
from tada_etude.synth.captions import ADJECTIVES, FILLERS, NOUNS, OPENINGS, PHRASES, PLAYERS

MUTE: Final = frozenset(
    (
        *("a", "an", "at", "in", "no", "on", "played", "the", "with", "without"),
        *("key", "mood", "notes", "pace", "pitch", "register", "speed", "tempo", "timbre", "tone"),
    )
)
"""Words of the captions' phrases that by themselves say nothing about a sound: of a tempo, both fast and slow."""


def split(text: str) -> list[str]:
    """The words of a text, in lower case; a hyphen parts two words."""
    return re.findall(r"[^\W\d_]+", text.lower())


def vocabulary() -> tuple[str, ...]:
    """Every word of etude's captions, in alphabetical order."""
    return tuple(sorted(_idle() | _said()))


def telling() -> tuple[str, ...]:
    """The words among them that say something about the sound, in alphabetical order."""
    return tuple(sorted(_said() - _idle()))


def _idle() -> set[str]:
    return {*MUTE, *_words((*NOUNS, *OPENINGS, *FILLERS, "some music"))}


def _said() -> set[str]:
    return _words(text for table in (ADJECTIVES, PHRASES, PLAYERS) for texts in table.values() for text in texts)


def _words(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for word in split(text)}


def numbers(text: str, known: Sequence[str], limit: int) -> list[int]:
    """Ids of the known words of a text, from 1, at most `limit`; 0 is no word."""
    index = {word: i for i, word in enumerate(known, 1)}
    return [index[word] for word in split(text) if word in index][:limit]


def check(text: str, said: Sequence[str]) -> None:
    """Refuse a text that says nothing the listener understands.

    Args:
        text: a query.
        said: the words that say something.

    Raises:
        SpecError: none of the text's words is among them, so that it would be read as any other such text.
    """
    if not set(split(text)) & set(said):
        raise SpecError(
            f"the listener knows no word of '{text}' that says something about a sound; use a metric that knows more, "
            f"or give the concept a query for 'listener' in words it knows: {', '.join(said)}"
        )
