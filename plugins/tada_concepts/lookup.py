"""Keywords by name."""

from __future__ import annotations

from typing import Final

from tada_concepts.contrasts import OWN
from tada_concepts.keywords import Keywords
from tada_concepts.published import PUBLISHED
from tada_core.errors import unknown

KEYWORDS: Final[dict[str, Keywords]] = {keywords.concept: keywords for keywords in (*OWN, *PUBLISHED)}
"""The project's own concepts, and the paper's as "slow-to-fast"."""


def get_keywords(name: str) -> Keywords:
    """The keywords of a concept.

    Raises:
        UnknownNameError: there are none of that name.
    """
    if name not in KEYWORDS:
        raise unknown("keywords", name, KEYWORDS, "tada counterfactuals --help lists them")
    return KEYWORDS[name]
