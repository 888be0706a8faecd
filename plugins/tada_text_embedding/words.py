"""The words that a concept's templates differ in."""

from __future__ import annotations

import re

from tada_core import Concept
from tada_core.errors import SpecError

WHOLE = "{p}"
"""Stands for every token of a row's base prompt."""


def words(template: str) -> list[str]:
    """The template's words, without its base prompt."""
    return re.findall(r"[\w'-]+", template.replace(WHOLE, " "))


def free_of(concept: Concept, *chosen: str) -> list[str]:
    """The concept's base prompts that hold none of the chosen words, so that a word is found in the template alone.

    Raises:
        SpecError: there are none.
    """
    found = [prompt for prompt in concept.prompts if not any(_holds(prompt, word) for word in chosen)]
    if not found:
        raise SpecError(f"every base prompt of concept '{concept.name}' holds one of the words {', '.join(chosen)}")
    return found


def _holds(prompt: str, word: str) -> bool:
    return f" {word} " in f" {' '.join(words(prompt))} "


def own_word(concept: Concept, side: str, option: str) -> str:
    """The one word of the side "positive" or "negative" that the other template does not have.

    Raises:
        SpecError: there is none, or more than one; names `option`, which gives it.
    """
    others = {"positive": concept.negative, "negative": concept.positive}
    template, other = concept.side(side), others[side]
    found = [word for word in dict.fromkeys(words(template)) if word not in words(other)]
    if len(found) != 1:
        said = "no word" if not found else f"several words ({', '.join(found)})"
        raise SpecError(
            f"concept '{concept.name}': template '{template}' has {said} that '{other}' does not have, so the word to "
            f"compare is not known; give it with the option {option}"
        )
    return found[0]


def neutral_word(concept: Concept) -> str:
    """The last word that the neutral template alone has, else its last word, else its whole base prompt (`WHOLE`)."""
    sides = {*words(concept.positive), *words(concept.negative)}
    every = words(concept.neutral)
    own = [word for word in every if word not in sides]
    return (own or every or [WHOLE])[-1]
