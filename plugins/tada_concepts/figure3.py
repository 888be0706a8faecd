"""What TADA's figure 3 localises: fifteen ideas, each against its counterfactual (arXiv 2602.11910, sect. 4).

A concept has the name of its keywords (`lookup.KEYWORDS`), so that `tada counterfactuals NAME` makes the captions that
the paper patches. Its templates are for models and users without captions, and are ours. The query is the idea's name
(eq. 9), but for the voices, whose queries are those of TADA's evaluation. Lyrics are empty, as published.
"""

from __future__ import annotations

from typing import Final

from tada_concepts.keywords import Keywords
from tada_concepts.lookup import get_keywords
from tada_concepts.paper import concept
from tada_core.concept import Concept

_VOICE: Final = "This is a music of a {} vocal singing"


def _made(name: str, positive: str, negative: str, query: str, probe: str = "") -> Concept:
    """A concept under its keywords' name; `positive` and `negative` go around the base prompt."""
    return concept(name, (positive, negative, "{p}"), _words(get_keywords(name)), {"": query}, probe, "")


def _with(name: str, positive: str, negative: str, probe: str = "") -> Concept:
    return _made(name, f"{{p}}, with {positive}", f"{{p}}, with {negative}", positive, probe)


def _song(name: str, positive: str, negative: str, probe: str = "") -> Concept:
    return _made(name, f"{positive} song, {{p}}", f"{negative} song, {{p}}", positive, probe)


def _vocal(name: str, positive: str, negative: str) -> Concept:
    sides = f"{{p}}, with {positive} vocal", f"{{p}}, with {negative} vocal"
    return _made(name, *sides, _VOICE.format(positive))


def _words(keywords: Keywords) -> tuple[str, ...]:
    """Every single word that speaks of the concept or of its counterfactual."""
    phrases = {*keywords.table, *keywords.table.values(), *keywords.excluded}
    return tuple(phrase for phrase in phrases if " " not in phrase)


FEMALE_TO_MALE: Final = _vocal("female-to-male", "female", "male")
MALE_TO_FEMALE: Final = _vocal("male-to-female", "male", "female")
SLOW_TO_FAST: Final = _song("slow-to-fast", "slow", "fast")
FAST_TO_SLOW: Final = _song("fast-to-slow", "fast", "slow", "tempo")
HAPPY_TO_SAD: Final = _song("happy-to-sad", "happy", "sad", "mode")
SAD_TO_HAPPY: Final = _song("sad-to-happy", "sad", "happy")
DRUMS_TO_SAXOPHONE: Final = _with("drums-to-saxophone", "drums", "saxophone", "drums")
FLUTE_TO_MARACAS: Final = _with("flute-to-maracas", "flute", "maracas", "flute")
MARACAS_TO_FLUTE: Final = _with("maracas-to-flute", "maracas", "flute")
TRUMPET_TO_VIOLIN: Final = _with("trumpet-to-violin", "trumpet", "violin")
VIOLIN_TO_TRUMPET: Final = _with("violin-to-trumpet", "violin", "trumpet")
GUITAR_TO_PIANO: Final = _with("guitar-to-piano", "guitar", "piano", "guitar")
JAZZ_TO_OPERA: Final = _song("jazz-to-opera", "jazz", "opera")
REGGAE_TO_METAL: Final = _song("reggae-to-metal", "reggae", "metal")
TECHNO_TO_FOLK: Final = _song("techno-to-folk", "techno", "folk")
