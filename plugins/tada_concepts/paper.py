"""Concepts of the papers: the nine of TADA (arXiv 2602.11910), and timbre (Facchiano et al., arXiv 2504.04479).

Templates and queries are those of TADA's public evaluation, where v1's table 6 differs in wording ("fast {p}"). All of
them share the project's own prompts of the papers' kinds, of which a concept takes the first that hold no word of it.

Differs from the paper: prompts are ours, and free of the concept's words (published base prompts of tempo hold "a slow
song"). Lyrics are the published ones of the evaluation, "[inst]" where nobody is to sing, but for fitting as well.
"""

from __future__ import annotations

from typing import Final

from tada_concepts.prompts import free_of, written
from tada_core.concept import Concept

NOBODY: Final = "[inst]"
"""Lyrics that keep a model from singing."""

BASES, EVALUATIONS = 50, 100
"""How many prompts to fit on and to evaluate on (TADA app. B.1 and B.2)."""

_TEMPO: Final = (
    *("tempo", "fast", "quick", "quickly", "rapid", "racing", "brisk", "lively", "energetic", "driving", "chase"),
    *("slow", "slowly", "calm", "relaxed", "leisurely", "unhurried", "gentle", "lazy", "sleepy", "halftime", "half"),
)
_MOOD: Final = (
    *("mood", "happy", "cheerful", "joyful", "merry", "upbeat", "uplifting", "sunny", "playful", "jokes", "party"),
    *("sad", "melancholy", "melancholic", "gloomy", "sorrowful", "mournful", "wistful", "doom", "blues", "horror"),
)
_VOICE: Final = (
    *("female", "male", "woman", "man", "girl", "boy", "voice", "voices", "vocal", "vocals", "vocoder", "talkbox"),
    *("sing", "sings", "singer", "singing", "sung", "song", "choir", "chorus", "chants", "lullaby", "shouted"),
    *("shouting", "gospel", "opera", "duet"),
)
_RAP: Final = (*_VOICE, "rap", "rapper", "hip", "hop", "trap", "bap", "dancehall")
_PIANO: Final = ("piano", "pianos", "pianist", "keys", "keyboard", "instrument", "instruments", "stride", "nocturne")
_VIOLIN: Final = (
    *("violin", "violins", "violinist", "fiddle", "fiddles", "viola", "cello", "cellos", "strings", "string"),
    *("instrument", "instruments", "orchestral", "orchestra", "symphony", "chamber", "nyckelharpa", "haegeum"),
)
_GUITAR: Final = ("guitar", "guitars", "guitarist", "acoustic", "electric", "unplugged", "riff", "riffs", "flamenco")
_ROCK: Final = (
    *("jazz", "jazzy", "bebop", "swing", "swinging", "ragtime", "rag", "stride", "orleans"),
    *("rock", "rocking", "punk", "metal", "grunge", "shoegaze", "garage", "surf"),
)
_ELECTRONIC: Final = (
    *("classical", "baroque", "orchestral", "orchestra", "symphony", "symphonic", "concerto", "chamber", "nocturne"),
    *("toccata", "prelude", "renaissance", "romantic", "quintet", "court"),
    *("electronic", "electro", "electronica", "techno", "house", "trance", "synthwave", "synth", "synths", "dubstep"),
    *("ambient", "glitch", "eight", "drum", "chillwave"),
)
_TIMBRE: Final = (
    *("timbre", "tone", "bright", "brilliant", "crisp", "sharp", "shiny", "glass", "ringing", "clear"),
    *("dark", "muffled", "mellow", "dull", "warm", "soft", "muted", "dusty", "deep"),
)


def concept(
    name: str, sides: tuple[str, str, str], words: tuple[str, ...], queries: dict[str, str], probe: str, lyrics: str
) -> Concept:
    """A concept on the shared prompts.

    Args:
        name: registry name.
        sides: positive, negative and neutral template.
        words: that no prompt of it may hold.
        queries: by metric, "" for all others.
        probe: what measures it in the audio, or "".
        lyrics: of its clips.
    """
    positive, negative, neutral = sides
    return Concept(
        name=name,
        positive=positive,
        negative=negative,
        neutral=neutral,
        prompts=free_of(written("bases"), words)[:BASES],
        evaluation=free_of(written("evaluation"), words)[:EVALUATIONS],
        probe=probe,
        queries=queries,
        lyrics=lyrics,
    )


def _with(more: str, less: str, neutral: str) -> tuple[str, str, str]:
    return f"{{p}}, with {more}", f"{{p}}, with {less}" if less else "{p}", f"{{p}}, with {neutral}"


def _song(more: str, less: str) -> tuple[str, str, str]:
    return f"{more} song, {{p}}", f"{less} song, {{p}}", "a song, {p}"


_FEMALE = {"": "This is a music of a female vocal singing", "muq": "female, woman, vocal singing"}
_RAPPED = {"": "This is music with rap vocal"}

PIANO: Final = concept("piano", _with("piano", "", "instrument"), _PIANO, {"": "a piano song"}, "piano", NOBODY)
MOOD: Final = concept("mood", _song("happy", "sad"), _MOOD, {"": "a cheerful track"}, "mode", NOBODY)
SONG_TEMPO: Final = concept("song-tempo", _song("fast", "slow"), _TEMPO, {"": "a fast track"}, "tempo", NOBODY)
VOCAL_GENDER: Final = concept(
    "vocal-gender", _with("female vocal", "male vocal", "clean vocal"), _VOICE, _FEMALE, "", ""
)
VOCAL_STYLE: Final = concept("vocal-style", _with("rap vocal", "sing vocal", "clean vocal"), _RAP, _RAPPED, "", "")
VIOLIN: Final = concept("violin", _with("violin", "", "instrument"), _VIOLIN, {"": "a song with violin"}, "", NOBODY)
GUITAR: Final = concept(
    "guitar",
    _with("acoustic guitar", "electric guitar", "a guitar"),
    _GUITAR,
    {"": "a song with acoustic guitar"},
    "",
    NOBODY,
)
ROCK_GENRE: Final = concept("rock-genre", _song("jazz", "rock"), _ROCK, {"": "a jazz song"}, "", NOBODY)
ELECTRONIC_MUSIC: Final = concept(
    "electronic-music", _song("classical", "electronic"), _ELECTRONIC, {"": "a classical song"}, "", NOBODY
)
TIMBRE: Final = concept(
    "timbre",
    _with("a bright timbre", "a dark timbre", "a timbre"),
    _TIMBRE,
    {"": "a bright sound"},
    "brightness",
    NOBODY,
)
