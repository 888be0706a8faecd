"""The language of a line of lyrics: by its mark, by its script, or as a detector hears its Latin letters."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import Any

LATIN = ("cs", "de", "en", "es", "fr", "hu", "it", "nl", "pl", "pt", "tr")
SCRIPTS = {
    "ko": re.compile("[\uac00-\ud7a3]"),
    "ja": re.compile("[\u3040-\u30ff]"),
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ru": re.compile("[\u0400-\u04ff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "hi": re.compile("[\u0900-\u097f]"),
}
"""Languages that one letter tells; the first that is found names the line, so kana come before Chinese characters."""

LANGUAGES = (*LATIN, *SCRIPTS)
MARK = re.compile(rf"\[({'|'.join(LANGUAGES)})\]\s*")


def marked(line: str) -> tuple[str | None, str]:
    """Language that a line names ("[es] te quiero") or None, and the line without its mark."""
    mark = MARK.match(line)
    return (mark[1], line[mark.end() :]) if mark else (None, line)


def is_foreign(line: str) -> bool:
    """Whether a line holds a letter that is not ASCII."""
    return any(letter.isalpha() and not letter.isascii() for letter in line)


def detect(line: str) -> str:
    """Language of a line; English where it has no letters.

    Latin letters are judged by langid ([Lui and Baldwin 2012](https://aclanthology.org/P12-3005)), digits left out.

    Differs from upstream, which cuts a line into pieces, lets the detector choose among 97 languages for each, and
    takes the most frequent one that is not English: here a line is judged whole, among the languages the model knows.
    """
    for language, letters in SCRIPTS.items():
        if letters.search(line):
            return language
    if not any(letter.isalpha() for letter in line):
        return "en"
    return str(_detector().classify(re.sub(r"\d", "", line))[0])


@cache
def _detector() -> Any:
    langid = import_module("py3langid.langid")
    made = langid.LanguageIdentifier.from_pickled_model(langid.MODEL_FILE)
    made.set_languages(list(LATIN))
    return made
