"""Words for attributes: what a person might type for a clip."""

from __future__ import annotations

from typing import Final

import numpy as np

from tada_etude.synth.attributes import Attributes

ADJECTIVES: Final[dict[tuple[str, object], tuple[str, ...]]] = {
    ("tempo", "slow"): ("slow", "slow", "calm", "relaxed", "unhurried", "gentle slow", "slow-paced", "leisurely"),
    ("tempo", "medium"): ("moderate", "medium-tempo", "mid-tempo", "walking"),
    ("tempo", "fast"): ("fast", "fast", "quick", "up-tempo", "lively", "energetic", "rapid", "fast-paced"),
    ("register", "low"): ("low", "deep", "low-pitched", "low-register"),
    ("register", "middle"): ("mid-range", "middle-register"),
    ("register", "high"): ("high", "high-pitched", "high-register", "treble"),
    ("brightness", "dark"): ("dark", "dark", "muffled", "mellow", "dull", "warm", "soft"),
    ("brightness", "neutral"): ("plain", "balanced"),
    ("brightness", "bright"): ("bright", "bright", "brilliant", "crisp", "sharp", "shiny"),
    ("mode", "major"): ("major", "happy", "cheerful", "joyful", "major-key"),
    ("mode", "minor"): ("minor", "sad", "melancholy", "sorrowful", "minor-key"),
    ("drums", True): ("drum-driven", "rhythmic"),
    ("drums", False): ("drumless",),
}
"""(attribute, value) -> words that can stand before a noun."""

PHRASES: Final[dict[tuple[str, object], tuple[str, ...]]] = {
    ("tempo", "slow"): ("at a slow tempo", "at a calm tempo", "at slow speed", "played slowly", "in a slow pace"),
    ("tempo", "medium"): ("at a medium tempo", "at a moderate tempo", "at a moderate pace"),
    ("tempo", "fast"): ("at a fast tempo", "at a quick tempo", "at high speed", "played quickly", "in a fast pace"),
    ("register", "low"): ("in a low register", "with low notes", "with deep notes", "low pitch"),
    ("register", "middle"): ("in a middle register", "with notes of middle pitch"),
    ("register", "high"): ("in a high register", "with high notes", "high pitch"),
    ("brightness", "dark"): ("with a dark tone", "with a muffled sound", "with a mellow tone", "dark timbre"),
    ("brightness", "neutral"): ("with a balanced tone", "with a plain sound"),
    ("brightness", "bright"): ("with a bright tone", "with a brilliant sound", "with a crisp tone", "bright timbre"),
    ("mode", "major"): ("in a major key", "in major", "in a happy mood", "with a cheerful mood"),
    ("mode", "minor"): ("in a minor key", "in minor", "in a sad mood", "with a melancholy mood"),
    ("drums", True): ("with drums", "with drums", "with a beat", "with a drum kit", "with percussion", "drums"),
    ("drums", False): ("without drums", "no drums", "without percussion", "without a beat", "no percussion"),
}
"""(attribute, value) -> words that can follow a noun or stand alone as a tag."""

PLAYERS: Final[dict[str, tuple[str, ...]]] = {
    "piano": ("piano", "piano", "grand piano", "keyboard piano"),
    "organ": ("organ", "organ", "church organ", "pipe organ"),
    "guitar": ("guitar", "guitar", "acoustic guitar", "plucked guitar"),
    "flute": ("flute", "flute", "wooden flute", "flutes"),
    "bell": ("bell", "bells", "chimes", "glockenspiel"),
}
"""Instrument -> names."""

NOUNS: Final = ("tune", "melody", "piece", "song", "piece of music", "instrumental", "track", "theme")
OPENINGS: Final = ("", "", "a ", "a ", "a ", "the sound of a ", "this is a ", "a short ", "here is a ")
FILLERS: Final = (
    "for the evening",
    "to walk to",
    "for a film",
    "i like",
    "to listen to",
    "that ends well",
    "for my friend",
)
"""Words that say nothing about the sound."""

COUNTS: Final = (0.04, 0.3, 0.26, 0.16, 0.1, 0.08, 0.06)
"""Probability of naming 0, 1, ... 6 attributes."""

NAMED: Final[dict[str, float]] = {
    "tempo": 0.14, "register": 0.12, "brightness": 0.14, "drums": 0.19, "mode": 0.19, "instrument": 0.22,
}  # fmt: skip
"""Attribute -> probability of being the one that is named first: what is harder to learn is said more often."""


def caption(attributes: Attributes, seed: int) -> str:
    """A caption in lower case that says a random part of what is true of the clip, and nothing that is not."""
    chosen, rng = _named(seed)
    if rng.random() < 0.3:
        return _tags(attributes, chosen, rng)
    return _sentence(attributes, chosen, rng)


def named(seed: int) -> tuple[str, ...]:
    """The attributes that `caption` speaks of for this seed, whatever their values."""
    return tuple(_named(seed)[0])


def _named(seed: int) -> tuple[list[str], np.random.Generator]:
    rng = np.random.default_rng((seed, 4))
    count = int(rng.choice(len(COUNTS), p=COUNTS))
    return [str(name) for name in rng.choice(list(NAMED), count, replace=False, p=list(NAMED.values()))], rng


def _choose(words: tuple[str, ...], rng: np.random.Generator) -> str:
    return words[int(rng.integers(len(words)))]


def _tags(attributes: Attributes, chosen: list[str], rng: np.random.Generator) -> str:
    words = []
    for name in chosen:
        if name == "instrument":
            words.append(_choose(PLAYERS[attributes.instrument], rng))
        else:
            table = ADJECTIVES if rng.random() < 0.6 and name != "drums" else PHRASES
            words.append(_choose(table[name, getattr(attributes, name)], rng))
    if not words or rng.random() < 0.3:
        words.insert(int(rng.integers(len(words) + 1)), _choose((*NOUNS, "music"), rng))
    return ", ".join(words)


def _sentence(attributes: Attributes, chosen: list[str], rng: np.random.Generator) -> str:
    before: list[str] = []
    after: list[str] = []
    player = ""
    for name in chosen:
        if name == "instrument":
            player = _choose(PLAYERS[attributes.instrument], rng)
            continue
        in_front = rng.random() < (0.15 if name == "drums" else 0.6)
        table, words = (ADJECTIVES, before) if in_front else (PHRASES, after)
        words.append(_choose(table[name, getattr(attributes, name)], rng))
    opening, noun = _choose(OPENINGS, rng), _choose(NOUNS, rng)
    if rng.random() < 0.2:
        opening, noun = _choose(("", "", "some ", "the sound of "), rng), "music"
    if player and rng.random() < 0.6:
        noun = f"{player} {noun}"
    elif player:
        after.insert(
            int(rng.integers(len(after) + 1)), _choose(("on {}", "played on {}", "with {}"), rng).format(player)
        )
    if rng.random() < 0.1:
        after.append(_choose(FILLERS, rng))
    body = " ".join([*before, noun, *after])
    if opening.endswith(" a ") or opening == "a ":
        opening = opening[:-1] + "n " * (body[0] in "aeiou") + " " * (body[0] not in "aeiou")
    return opening + body
