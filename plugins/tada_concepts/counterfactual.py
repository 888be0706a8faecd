"""Pairs of captions that differ in a concept's words alone (TADA sect. 3, tables 4 and 5).

Differs from the paper, where GPT-4 wrote the counterfactuals: here words are swapped by a table, in one pass, and a
caption that this does not suit is left out, with the reason. Nothing is paraphrased, so a pair differs in nothing else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from attrs import frozen

from tada_concepts.keywords import Keywords
from tada_concepts.swap import swap
from tada_core.errors import SpecError
from tada_core.localization.pair import Pair


class Reason(StrEnum):
    """Why a caption makes no pair."""

    ABSENT = "holds no word of the concept"
    OPPOSITE = "holds a word of the opposite too, or one in another sense"
    FORM = "holds a form of a word that the table lacks"
    DOUBLED = "would say a word twice"
    COMPARATIVE = "would compare as in 'more slow'"
    GAP = "would be broken where a word is removed"
    REACH = "would deny more than the concept, as in 'without drums and guitar'"
    REMAINS = "would keep a word of the concept"
    REPEATED = "is there already"
    SURPLUS = "comes after as many as were asked for"


@frozen
class Selection:
    """What became of captions.

    Attributes:
        pairs: in the captions' order.
        read: how many captions there were.
        dropped: reason -> captions, for reasons that occur; pairs and these add up to `read`.
    """

    pairs: tuple[Pair, ...]
    read: int
    dropped: Mapping[Reason, int]


def counterfactuals(captions: Iterable[str], keywords: Keywords, most: int | None = None) -> list[Pair]:
    """The first `most` pairs that captions make; `select` also says why the others make none.

    Args:
        captions: music descriptions.
        keywords: the concept's words; captions that hold one, and none of the opposite's, are used.
        most: number of pairs; None for all. The paper takes up to 256.

    Raises:
        SpecError: `most` is below 1.
    """
    return list(select(captions, keywords, most).pairs)


def select(captions: Iterable[str], keywords: Keywords, most: int | None = None) -> Selection:
    """As `counterfactuals`, with a count of the captions left out by reason."""
    if most is not None and most < 1:
        raise SpecError(f"most is the number of pairs, 1 or more; not {most}")
    pairs: dict[Pair, None] = {}
    dropped: Counter[Reason] = Counter()
    for caption in captions:
        made = counterfactual(caption, keywords)
        if isinstance(made, Pair) and made in pairs:
            made = Reason.REPEATED
        elif isinstance(made, Pair) and len(pairs) == most:
            made = Reason.SURPLUS
        if isinstance(made, Pair):
            pairs[made] = None
        else:
            dropped[made] += 1
    return Selection(tuple(pairs), len(pairs) + dropped.total(), dict(dropped.most_common()))


def counterfactual(caption: str, keywords: Keywords) -> Pair | Reason:
    """A caption and its counterfactual, or why there is none; spaces around the caption are taken off."""
    caption = caption.strip()
    found = keywords.found(caption)
    if not found & {*keywords.swaps}:
        return Reason.ABSENT
    if found & {*keywords.excluded}:
        return Reason.OPPOSITE
    if found - {*keywords.table}:
        return Reason.FORM
    negative = swap(caption, keywords.table)
    return _fault(caption, negative, keywords) or Pair(caption, negative)


_FAULTS: Final = (
    (Reason.REACH, re.compile(r"(?<!\w)(?:without|no)\s[^.!?;]*?(?<!\w)and(?!\w)", re.IGNORECASE)),
    (Reason.DOUBLED, re.compile(r"(?<!\w)(\w+)(?:,?\s+(?:and|or|but|yet)\s+|[\s,-]+)\1(?!\w)", re.IGNORECASE)),
    # Nothing left; a sentence without its capital; a stop after a space or another; a word that now joins nothing.
    (Reason.GAP, re.compile(r"^\W*$")),
    (Reason.GAP, re.compile(r"(?:^|[.!?]\s+)[a-z]")),
    (Reason.GAP, re.compile(r"\s[,.;:!?]|[,;:]\s*[,.;:]")),
    (Reason.GAP, re.compile(r"(?<!\w)(?:an?|the|and|or|with|of)\s*(?:$|[,.;:!?])")),
    (Reason.GAP, re.compile(r"(?<!\w)(?:an?|the)\s+(?:and|or|of)(?!\w)")),
)


def _fault(caption: str, negative: str, keywords: Keywords) -> Reason | None:
    """What is wrong with the counterfactual that was not wrong with the caption."""
    for reason, pattern in _FAULTS:
        if len(pattern.findall(negative)) > len(pattern.findall(caption)):
            return reason
    if _compares(negative, keywords.table.values()):
        return Reason.COMPARATIVE
    return Reason.REMAINS if keywords.found(negative) & {*keywords.table} else None


def _compares(text: str, replacements: Iterable[str]) -> bool:
    """Whether a replacement of one syllable, which has a comparative of its own, stands after "more" or the like."""
    short = {word.casefold() for word in replacements if len(re.findall(r"[aeiouy]+", word)) == 1}
    compared = re.findall(r"(?<!\w)(?:more|most|less|least)\s+(\w+)", text.casefold())
    return not short.isdisjoint(compared)
