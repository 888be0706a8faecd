"""Words that speak of a concept, what takes their place, and words that rule a caption out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from attrs import field, frozen

from tada_concepts.swap import alternatives, normal
from tada_core.convert import texts
from tada_core.errors import SpecError

_ENDINGS: Final = "(?:ed|es|s|d|er|ers|est|ly|ness|ing|ful|less|th|y)"
SHORTEST: Final = 4
"""Letters of the shortest word whose other forms are looked for: "his" would find "hiss"."""


def _table(swaps: Mapping[str, str]) -> dict[str, str]:
    return {normal(word): replacement.strip() for word, replacement in swaps.items()}


def _words(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(normal(word) for word in texts(words))


@frozen
class Keywords:
    """How captions with a concept are found, and turned into captions without it (TADA sect. 3 and table 5).

    Attributes:
        concept: name, such as "tempo" or "female-to-male".
        swaps: words or phrases that speak of the concept, and what takes their place; a caption needs one of them.
        excluded: words or phrases of the opposite, or in which a word means something else; a caption with one is left.
        also: words that are replaced too, but do not make a caption one of the concept's; "" removes a word.

    Words are compared in lower case, hyphens as spaces.

    Raises:
        SpecError: no swaps, an empty word, a word that is listed twice, or a replacement that holds a concept's word.
    """

    concept: str
    swaps: Mapping[str, str] = field(converter=_table)
    excluded: tuple[str, ...] = field(default=(), converter=_words)
    also: Mapping[str, str] = field(factory=dict, converter=_table)

    def __attrs_post_init__(self) -> None:
        if not self.swaps or not all((*self.swaps, *self.excluded, *self.also)):
            raise SpecError(f"keywords '{self.concept}' need swaps such as {{'fast': 'slow'}}, and no empty word")
        if twice := sorted({*self.swaps} & {*self.also} | {*self.table} & {*self.excluded}):
            raise SpecError(f"keywords '{self.concept}' list '{twice[0]}' twice; leave it in one of the tables")
        for word, replacement in self.table.items():
            if again := _pattern(tuple(self.table), forms=False).search(replacement):
                what = f"'{word}' by '{replacement}', which holds '{again[0]}'"
                raise SpecError(f"keywords '{self.concept}' replace {what}, a word of the concept; choose another")

    @property
    def table(self) -> dict[str, str]:
        """Every word that is replaced."""
        return {**self.swaps, **self.also}

    def found(self, text: str) -> set[str]:
        """The table's words in a text, its excluded ones, and other forms of either, such as "happiness".

        A phrase hides the words in it: in "with drums", "drums" is not found.
        """
        pattern = _pattern((*self.table, *self.excluded))
        return {normal(match[0]) for match in pattern.finditer(text)}


@lru_cache(maxsize=64)
def _pattern(terms: tuple[str, ...], forms: bool = True) -> re.Pattern[str]:
    others = [_forms(term) for term in terms if term.isalpha() and len(term) >= SHORTEST] if forms else []
    return re.compile(rf"(?<!\w)(?:{'|'.join((alternatives(terms), *others))})(?!\w)", re.IGNORECASE)


def _forms(word: str) -> str:
    """Other forms of a word: happy, happier; brave, braver; sad, sadder; drum, drums; energetic, energetically."""
    stem = word[:-1] if word[-1] in "ey" else word
    return rf"{re.escape(stem)}(?:{re.escape(stem[-1])}|i|e|y|al)?{_ENDINGS}"
