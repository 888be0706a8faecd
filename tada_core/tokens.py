"""Tokens of prompts: how many there are, which of them spell a word, and what is cut off behind the last one."""

from __future__ import annotations

import re
from typing import Any

from tada_core.errors import SpecError


def count_tokens(tokenizer: Any, text: str, most: int) -> int:
    """Tokens of a prompt that is cut after `most`."""
    return len(tokenizer(text, truncation=True, max_length=most).input_ids)


def word_places(tokenizer: Any, text: str, word: str, most: int) -> tuple[int, ...]:
    """Tokens of a prompt that spell a word, wherever it occurs as a whole word.

    Args:
        tokenizer: a fast tokenizer of transformers.
        text: the prompt.
        word: a word or several, as they stand in it.
        most: tokens after which the prompt is cut.

    Raises:
        SpecError: the word is not in the prompt, or only where it is cut.
    """
    spans = [found.span() for found in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text)]
    if not spans or not word.strip():
        raise SpecError(f"the word '{word}' is not in the prompt '{text}'")
    offsets = tokenizer(text, return_offsets_mapping=True, truncation=True, max_length=most).offset_mapping
    places = tuple(
        place
        for place, (start, end) in enumerate(offsets)
        if end > start and any(start < last and end > first for first, last in spans)
    )
    if not places:
        raise SpecError(f"the word '{word}' is not among the {most} tokens that are read of the prompt '{text}'")
    return places


def unread(tokenizer: Any, text: str, most: int) -> str:
    """The end of a prompt that is cut after `most` tokens, from the first word that is not read whole; "" if none is.

    Args:
        tokenizer: of transformers.
        text: the prompt.
        most: tokens that are read, the special ones included.
    """

    def fits(part: str) -> bool:
        return len(tokenizer(part, verbose=False).input_ids) <= most

    if fits(text):
        return ""
    ends = [word.end() for word in re.finditer(r"\S+", text)]
    return text[max((end for end in ends if fits(text[:end])), default=0) :].strip()
