"""A line of lyrics in the letters that the model was trained on."""

from __future__ import annotations

import re
from importlib import import_module
from unicodedata import category

from tada_ace_step.numerals import spell
from tada_core.errors import SpecError

SYMBOLS = re.compile("[&@%#$£€°]")
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def tidy(line: str) -> str:
    """A line in lower case with single spaces and straight apostrophes, without double quotes."""
    return re.sub(r"\s+", " ", line.lower().replace('"', "").replace("\u2019", "'"))


def respell(line: str, language: str) -> str:
    """A line as the model reads it: numbers as words, Chinese as pinyin with tones, Korean in Latin letters.

    Differs from upstream: symbols (&, %, ...) are refused rather than read, abbreviations ("dr.") stay as they are, and
    Japanese has to come in Latin letters.

    Args:
        line: what is sung, without a language mark.
        language: one of `tada_ace_step.language.LANGUAGES`.

    Raises:
        SpecError: a symbol, a number or a script that cannot be read.
    """
    # The lower case of a Turkish dotted capital is two characters, one of them unknown to the vocabulary.
    text = tidy(line.replace("\u0130", "i"))
    if odd := sorted(set(SYMBOLS.findall(text))):
        raise SpecError(f"lyrics line '{line}' holds {' '.join(odd)}; write symbols as words")
    if language == "ja" and JAPANESE.search(text):
        raise SpecError(
            f"lyrics line '{line}' is Japanese in its own script, which this adapter does not read; "
            "write it in Latin letters (Hepburn) after the mark [ja]"
        )
    return re.sub(r"\s+", " ", _latin(spell(text, language), language))


def _latin(text: str, language: str) -> str:
    if language == "zh":
        return pinyin("".join("," if _wide_stop(letter) else letter for letter in text))
    if language == "ko":
        rule = import_module("hangul_romanize.rule").academic
        return str(import_module("hangul_romanize").Transliter(rule).translit(text))
    return text


def pinyin(text: str) -> str:
    """Chinese characters as syllables with the number of their tone, 5 for the neutral one; all else as it is."""
    maker = import_module("pypinyin")
    syllables = maker.pinyin(text, style=maker.Style.TONE3, heteronym=False, neutral_tone_with_five=True)
    return "".join(first for first, *_ in syllables)


def _wide_stop(letter: str) -> bool:
    """Whether it is punctuation outside ASCII, which upstream reads as a comma in Chinese."""
    return not letter.isascii() and category(letter).startswith("P")
