"""Which clips autoencoders are trained on: prompts of a captions file, or of concepts, on all sides."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tada_core import Concept
from tada_core.captions import read_captions

CONCEPTS = ("tempo", "brightness", "register", "drums", "mode")
"""Whose prompts are taken where nobody says."""

SIDES = ("positive", "negative", "neutral")
"""Of a concept, that autoencoders are trained on."""


def captions(path: str | Path, column: str | None = None) -> tuple[str, ...]:
    """The captions of a file, each once; arguments and errors as `tada_core.captions.read_captions`."""
    return tuple(dict.fromkeys(read_captions(path, column)))


def of_concepts(concepts: Iterable[Concept]) -> tuple[str, ...]:
    """Every prompt that concepts are fitted on, on all three sides, each once."""
    return tuple(
        dict.fromkeys(
            concept.text(side, prompt) for concept in concepts for prompt in concept.prompts for side in SIDES
        )
    )
