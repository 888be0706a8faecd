"""Keywords of the TADA paper (arXiv 2602.11910, sect. 3 and table 5), one table per direction.

A table's swaps are the paper's filter keywords, its excluded words the filter keywords of the opposite.

Differs from the paper: it gives examples of replacements only, here every word has one. Replacements are of the same
part of speech and number, so that grammar holds (lively -> sluggish, not slowly; drums -> saxophones, not saxophone;
flutist -> maracas player). More forms are in `also` and `excluded`, so that "happily" does not stay behind and
pronouns follow the singer; instruments of two words ("drum machine") are replaced whole. Techno and guitar are named
in sect. 3 without keywords; theirs are ours.
"""

from __future__ import annotations

from typing import Final

from tada_concepts.keywords import Keywords

_OTHER_DRUMS: Final = ("drum and bass", "drum n bass", "steel drum", "steel drums")

PUBLISHED: Final = (
    Keywords(
        "female-to-male",
        {"female": "male", "woman": "man", "girlish": "boyish"},
        ("male", "males", "man", "men", "boy", "boys", "boyish", "he", "his", "him", "himself", "her", "hers"),
        {
            **{"females": "males", "women": "men", "girl": "boy", "girls": "boys", "feminine": "masculine"},
            **{"she": "he", "herself": "himself", "lady": "gentleman", "ladies": "gentlemen"},
            # Elsewhere "her" may be "him" as well as "his".
            **{f"her {noun}": f"his {noun}" for noun in ("voice", "voices", "vocal", "vocals", "singing", "own")},
        },
    ),
    Keywords(
        "male-to-female",
        {"male": "female", "man": "woman"},
        ("female", "females", "woman", "women", "girlish", "girl", "girls", "she", "her", "hers", "herself", "lady"),
        {
            **{"males": "females", "men": "women", "boy": "girl", "boys": "girls", "boyish": "girlish"},
            **{"he": "she", "his": "her", "him": "her", "himself": "herself", "masculine": "feminine"},
        },
    ),
    Keywords(
        "slow-to-fast",
        {"slow": "fast", "slowed": "hurried", "slower": "faster", "slowly": "quickly", "leisurely": "brisk"},
        ("fast", "rapid", "dynamic", "quick", "energetic", "groovy", "lively", "faster", "fastest", "quickly"),
        {"slowest": "fastest", "slowed down": "sped up"},
    ),
    Keywords(
        "fast-to-slow",
        {
            **{"fast": "slow", "rapid": "unhurried", "dynamic": "static", "quick": "leisurely"},
            **{"energetic": "calm", "groovy": "plodding", "lively": "sluggish"},
        },
        ("slow", "slowed", "slower", "slowest", "slowly", "leisurely"),
        {"faster": "slower", "fastest": "slowest", "quickly": "slowly", "rapidly": "unhurriedly"},
    ),
    Keywords(
        "happy-to-sad",
        {
            **{"happy": "sad", "joyful": "sorrowful", "upbeat": "downbeat", "uplifting": "depressing"},
            **{"cheerful": "gloomy"},
        },
        ("sad", "depressing", "dejected", "sadness", "sadly", "sadder", "saddest"),
        {
            **{"happier": "sadder", "happiest": "saddest", "happily": "sadly", "happiness": "sadness"},
            **{"joy": "sorrow", "joyfully": "sorrowfully", "cheerfully": "gloomily", "warm": "cold"},
        },
    ),
    Keywords(
        "sad-to-happy",
        {"sad": "happy", "depressing": "uplifting", "dejected": "elated"},
        ("happy", "joyful", "upbeat", "uplifting", "cheerful", "joy"),
        {
            **{"sadder": "happier", "saddest": "happiest", "sadly": "happily", "sadness": "happiness"},
            **{"lonely": "connected", "emotional": "lighthearted"},
        },
    ),
    Keywords(
        "drums-to-saxophone",
        {"drums": "saxophones", "drum": "saxophone", "percussion": "brass"}
        | {"hand percussion": "brass", "drum machine": "saxophone", "drum kit": "saxophone", "drum set": "saxophone"},
        ("saxophone", "saxophones", "saxophonist", "sax", "brass", *_OTHER_DRUMS),
        {"drummer": "saxophonist", "drummers": "saxophonists", "drumming": "saxophone playing"}
        | {"percussionist": "saxophonist", "percussionists": "saxophonists", "percussive": "brassy"},
    ),
    Keywords(
        "flute-to-maracas",
        {"flute": "maraca", "flutes": "maracas", "pan flute": "maraca", "pan flutes": "maracas"},
        ("maraca", "maracas"),
        {"flutist": "maracas player", "flautist": "maracas player"},
    ),
    Keywords("maracas-to-flute", {"maracas": "flutes", "maraca": "flute"}, ("flute", "flutes", "flutist", "flautist")),
    Keywords(
        "trumpet-to-violin",
        {"trumpet": "violin", "trumpets": "violins"},
        ("violin", "violins", "violinist", "fiddle", "fiddles"),
        {"trumpeter": "violinist", "trumpeters": "violinists"},
    ),
    Keywords(
        "violin-to-trumpet",
        {"violin": "trumpet", "fiddle": "trumpet"},
        ("trumpet", "trumpets", "trumpeter"),
        {
            **{"violins": "trumpets", "fiddles": "trumpets", "violinist": "trumpeter", "violinists": "trumpeters"},
            **{"fiddler": "trumpeter", "string": "", "strings": "brass"},
        },
    ),
    Keywords(
        "guitar-to-piano",
        {"guitar": "piano", "guitars": "pianos"}
        | {f"{kind} guitar": "piano" for kind in ("steel", "slide", "wah", "nylon", "lap steel")},
        ("piano", "pianos", "pianist", "bass guitar", "bass guitars", "guitar solo", "guitar riff", "guitar riffs"),
        {"guitarist": "pianist", "guitarists": "pianists", "strummed": "played", "strumming": "playing"},
    ),
    Keywords(
        "jazz-to-opera",
        {"jazz": "opera", "blues": "operetta"},
        ("opera", "operatic", "operetta", "choir", "choirs", "choral"),
        {"jazzy": "operatic", "bluesy": "operatic", "band": "choir", "bands": "choirs"},
    ),
    Keywords(
        "reggae-to-metal",
        {"reggae": "metal", "jamaican": "norwegian", "tropical": "industrial", "beach": "concert"},
        ("metal", "norwegian", "industrial", "concert", "concerts"),
        {"chill": "heavy", "beaches": "concerts"},
    ),
    Keywords("techno-to-folk", {"techno": "folk"}, ("folk", "acoustic"), {"electronic": "acoustic"}),
)
"""Both directions where table 5 has both."""
