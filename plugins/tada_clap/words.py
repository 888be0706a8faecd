"""RoBERTa's tokenizer, with a guard: without its files it reads every text as the same two tokens, and says nothing."""

from __future__ import annotations

import warnings
from typing import Any, Final

from tada_core.errors import CheckpointError
from tada_core.tokens import unread

SOURCE: Final = "roberta-base"
VARIABLE: Final = "TADA_CLAP_TOKENIZER"
LONGEST: Final = 77
"""Tokens laion-clap reads of a text."""
REMEDY: Final = f"name a folder with the tokenizer of {SOURCE} in the option `tokenizer` or {VARIABLE}"


def load(where: str) -> Any:
    """The tokenizer in a folder or hub repository.

    Raises:
        CheckpointError: it cannot be read, or tells no texts apart.
    """
    from transformers import RobertaTokenizer

    try:
        tokenizer = RobertaTokenizer.from_pretrained(where)
    except Exception as error:
        raise CheckpointError(f"the tokenizer '{where}' cannot be read: {error}; {REMEDY}") from error
    if tokenizer("a piano song")["input_ids"] == tokenizer("a fast track")["input_ids"]:
        raise CheckpointError(f"the tokenizer '{where}' reads every text as the same tokens; {REMEDY}")
    return tokenizer


def tokens(tokenizer: Any, text: str) -> list[int]:
    """Ids of a text, its ends marked, cut after 77 with a warning that names what is lost."""
    if lost := unread(tokenizer, text, LONGEST):
        said = f"a text is too long for CLAP, which does not read its end: '{lost}'"
        warnings.warn(f"{said}; use a query of at most {LONGEST} tokens", stacklevel=2)
    found: list[int] = tokenizer(text, truncation=True, max_length=LONGEST)["input_ids"]
    return found
