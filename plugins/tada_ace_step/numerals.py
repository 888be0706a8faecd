"""Numbers in a line of lyrics, written as the words of its language."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from importlib import import_module

from tada_core.errors import SpecError

WITHOUT = ("hi", "ja", "zh")
"""Languages whose numbers are not read."""

DOT = r"\.(?=\s|$)"
ORDINAL = {
    "cs": DOT,
    "de": DOT,
    "en": r"(?:st|nd|rd|th)\b",
    "es": r"(?:º|ª|er|o|a)\b",
    "fr": r"(?:er|re|e|ème)\b",
    "hu": DOT,
    "it": r"(?:º|ª|o|a)\b",
    "ko": "번째",
    "nl": r"(?:de|ste|e)\b",
    "pt": r"(?:º|ª|o|a)\b",
    "ru": r"-[^\W\d]{1,2}\b",
    "tr": DOT,
}
"""What follows the digits of an ordinal number."""

COMMA_GROUPS = ("en", "ru")
"""Languages that write thousands with commas, in upstream's reading; the others use dots."""


def spell(line: str, language: str) -> str:
    """A line whose digits are words: cardinals, ordinals, decimals, and thousands in groups.

    Differs from upstream: Czech numbers are read (upstream asks num2words for a language it does not have, and keeps
    the digits), Chinese ones are not.

    Raises:
        SpecError: a number that cannot be read in this language.
    """
    if not re.search("[0-9]", line):
        return line
    if language in WITHOUT:
        raise unreadable(line, language)
    mark = "," if language in COMMA_GROUPS else r"\."
    text = re.sub(rf"\b\d{{1,3}}(?:{mark}\d{{3}})+\b", lambda found: re.sub(r"\D", "", found[0]), line)
    try:
        return _replace(text, language)
    except (NotImplementedError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise unreadable(line, language) from error


def unreadable(line: str, language: str) -> SpecError:
    """The error for a line whose numbers cannot be read."""
    return SpecError(f"lyrics line '{line}' holds a number that cannot be read in '{language}'; write numbers as words")


def _replace(text: str, language: str) -> str:
    say: Callable[..., str] = partial(import_module("num2words").num2words, lang=language)
    # num2words joins Turkish decimals into one wrong word; upstream reads both sides on their own.
    if language != "tr":
        text = re.sub(r"[0-9]+[.,][0-9]+", lambda found: say(float(found[0].replace(",", "."))), text)
    if language in ORDINAL:
        text = re.sub(rf"([0-9]+){ORDINAL[language]}", lambda found: say(int(found[1]), ordinal=True), text)
    return re.sub("[0-9]+", lambda found: say(int(found[0])), text)
