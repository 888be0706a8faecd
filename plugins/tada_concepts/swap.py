"""Words exchanged for others: whole words, the longest first, all in one pass, case and hyphens kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

_NEVER: Final = "(?!)"
_SILENT: Final = ("hour", "honest", "honour", "honor", "heir")
_CONSONANT: Final = ("eu", "uni", "use", "usu", "uk", "one", "once")


def normal(text: str) -> str:
    """A word or phrase as tables hold it: lower case, one space between its words, no hyphens."""
    return " ".join(re.split(r"[\s-]+", text.strip())).casefold()


def alternatives(terms: Iterable[str]) -> str:
    """A regular expression for any of the terms, the longest first; a space stands for spaces and hyphens."""
    ordered = sorted(terms, key=lambda term: (-len(term), term))
    return "|".join(r"[\s-]+".join(map(re.escape, term.split())) for term in ordered) or _NEVER


def swap(text: str, table: Mapping[str, str]) -> str:
    """`text` with every word of the table replaced, and the article before it made to fit.

    What was put in is never looked at again, so that of "fast" for "slow" and "slow" for "fast" both are done.

    Args:
        text: any text.
        table: words or phrases, as `normal` gives them, and what takes their place; "" removes a word.
    """
    return _compiled(tuple(table)).sub(lambda match: _replacement(match, table), text)


def vowel_sound(word: str) -> bool:
    """Whether "an", not "a", stands before the word."""
    lower = word.lower()
    return lower.startswith(_SILENT) or (lower[:1] in tuple("aeiou") and not lower.startswith(_CONSONANT))


@lru_cache(maxsize=64)
def _compiled(terms: tuple[str, ...]) -> re.Pattern[str]:
    article = r"(?:(?P<article>an?)(?P<gap>\s+))?"
    return re.compile(rf"(?<!\w){article}(?P<term>{alternatives(terms)})(?!\w)(?P<after>\s*)", re.IGNORECASE)


def _replacement(match: re.Match[str], table: Mapping[str, str]) -> str:
    term = match["term"]
    # Letters such as the dotted capital I match without having an equal lower case: they are left alone.
    new = _recased(term, table.get(normal(term), term))
    following = new or match.string[match.end() :]
    article = _article(match["article"] or "", term, following) + (match["gap"] or "")
    return article + (new + match["after"] if new else "")


def _article(old: str, before: str, after: str) -> str:
    """The article for `after`, changed only where its sound differs from that of `before`."""
    if not old or vowel_sound(before) == vowel_sound(after):
        return old
    # "A" alone does not tell whether all of the text is in capitals; the word before does.
    return old[0] + ("N" if before.isupper() else "n") * vowel_sound(after)


def _recased(old: str, new: str) -> str:
    """`new` in the case of `old`, word by word and with its hyphens where both have as many words."""
    parts = re.split(r"([\s-]+)", old)
    words = new.split()
    if len(words) == len(parts[::2]):
        parts[::2] = [_cased(was, word) for was, word in zip(parts[::2], words, strict=True)]
        return "".join(parts)
    return _cased(old, new)


def _cased(old: str, new: str) -> str:
    if len(old) > 1 and old.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new
