"""Keywords of the project's own concepts, positive to negative, in the words of `table` and of etude's captions."""

from __future__ import annotations

from typing import Final

from tada_concepts.keywords import Keywords

_DRUMS = ("drums", "percussion", "a beat", "a drum kit", "a drum machine", "live drums", "a steady beat", "a drum beat")

OWN: Final = (
    Keywords(
        "tempo",
        {
            **{"fast": "slow", "faster": "slower", "fastest": "slowest", "quick": "leisurely", "quickly": "slowly"},
            **{"rapid": "unhurried", "rapidly": "slowly", "lively": "calm", "energetic": "relaxed"},
            **{"up tempo": "slow tempo", "uptempo": "downtempo", "high speed": "slow speed"},
        },
        (
            *("slow", "slowed", "slower", "slowest", "slowly", "calm", "relaxed", "unhurried", "leisurely", "gentle"),
            *("moderate", "medium tempo", "mid tempo", "downtempo"),
        ),
    ),
    Keywords(
        "brightness",
        {
            **{"bright": "dark", "brilliant": "muffled", "crisp": "mellow", "sharp": "dull", "shiny": "soft"},
            **{"brighter": "darker", "brightest": "darkest", "brightly": "darkly", "brightness": "darkness"},
        },
        (
            *("dark", "darker", "darkest", "darkly", "darkness", "muffled", "mellow", "dull", "warm", "soft"),
            # The note: "a sharp" is left out, for it is an article more often.
            *(f"{note} sharp" for note in "bcdefg"),
        ),
    ),
    Keywords(
        "register",
        {"high": "low", "higher": "lower", "highest": "lowest", "treble": "deep"},
        (
            *("low", "lower", "lowest", "lows", "deep", "deeper", "deepest"),
            *("high speed", "high tempo", "high energy", "high quality", "high fidelity", "high hat", "high hats"),
            *("high end", "high gain", "high pass", "high volume"),
        ),
    ),
    Keywords(
        "drums",
        {
            **{f"with {what}": f"without {what}" for what in _DRUMS},
            **{f"{verb} drums": f"{verb} no drums" for verb in ("has", "features", "contains", "there are", "and")},
            **{"and percussion": "and no percussion", "there is percussion": "there is no percussion"},
            **{"with drums and percussion": "without drums or percussion"},
            **{"drum driven": "drumless", "rhythmic": "drumless"},
        },
        (
            *("drum", "drums", "drummer", "drumming", "drumless", "beat", "beats", "beatless"),
            *("percussion", "percussive", "percussionist", "snare", "cymbal", "cymbals", "kick drum"),
            # Without one of the two, or without both?
            *("with drums and", "with percussion and"),
        ),
    ),
    Keywords(
        "mode",
        {"major": "minor", "happy": "sad", "cheerful": "melancholy", "joyful": "sorrowful"}
        | {"happier": "sadder", "happily": "sadly", "happiness": "sadness"},
        ("minor", "sad", "sadder", "sadly", "sadness", "melancholy", "melancholic", "sorrowful"),
    ),
)
"""One per concept of `table`, under its name."""
