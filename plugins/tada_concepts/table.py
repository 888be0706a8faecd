"""Five concepts with ground truth: each names the probe that measures it in the audio."""

from __future__ import annotations

from typing import Final

from tada_concepts.prompts import EVALUATION, FITTING, free_of
from tada_core.concept import Concept

WORDS: Final[dict[str, tuple[str, ...]]] = {
    "tempo": (
        *("tempo", "fast", "quick", "quickly", "rapid", "up", "lively", "energetic", "paced", "pace", "speed", "high"),
        *("slow", "slowly", "calm", "relaxed", "unhurried", "leisurely", "gentle", "quiet", "dance", "moderate"),
    ),
    "brightness": (
        *("bright", "brightness", "brilliant", "crisp", "sharp", "shiny", "treble", "clear"),
        *("dark", "muffled", "mellow", "dull", "warm", "soft", "tone", "timbre", "plain", "balanced"),
    ),
    "register": ("register", "high", "treble", "low", "deep", "bass", "pitch", "pitched", "notes", "range", "middle"),
    "drums": ("drum", "drums", "drumless", "beat", "beats", "percussion", "rhythm", "rhythmic", "kit", "dance"),
    "mode": (
        *("mode", "key", "major", "happy", "cheerful", "joyful"),
        *("minor", "sad", "melancholy", "sorrowful", "mood"),
    ),
}
"""Concept -> words that speak of it, or of its opposite; none of its base prompts holds any."""


def _concept(name: str, positive: str, negative: str, query: str) -> Concept:
    return Concept(
        name=name,
        positive=f"{{p}}, {positive}",
        negative=f"{{p}}, {negative}",
        prompts=free_of(FITTING, WORDS[name]),
        evaluation=free_of(EVALUATION, WORDS[name]),
        probe=name,
        queries={"": query},
    )


TEMPO: Final = _concept("tempo", "fast tempo", "slow tempo", "a fast tune")
BRIGHTNESS: Final = _concept("brightness", "bright tone", "dark tone", "a tune with a bright tone")
REGISTER: Final = _concept("register", "high register", "low register", "a tune in a high register")
DRUMS: Final = _concept("drums", "with drums", "without drums", "a tune with drums")
MODE: Final = _concept("mode", "in a major key", "in a minor key", "a happy tune in a major key")
