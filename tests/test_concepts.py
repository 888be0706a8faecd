"""The table of concepts: prompts that leave the concept to the templates, and probes that exist."""

from __future__ import annotations

import re

import pytest

from tada_concepts import table
from tada_concepts.prompts import EVALUATION, FITTING, free_of
from tada_core.concept import Concept
from tada_etude.synth.captions import ADJECTIVES, PHRASES
from tada_probes.probe import PROBES

CONCEPTS = (table.TEMPO, table.BRIGHTNESS, table.REGISTER, table.DRUMS, table.MODE)
NEUTRAL = {"a", "at", "of", "in", "with", "no", "without", "played", "sound", "driven", "gentle", "walking"}
"""Words of etude's captions that name no attribute by themselves."""


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower()))


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.name)
def test_no_prompt_holds_a_word_of_its_concept(concept: Concept) -> None:
    own = {word for template in (concept.positive, concept.negative) for word in words(template)} - NEUTRAL - {"p"}
    for prompt in (*concept.prompts, *concept.evaluation):
        assert not words(prompt) & (own | set(table.WORDS[concept.name])), prompt


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.name)
def test_no_prompt_says_what_a_caption_of_the_model_says_of_the_concept(concept: Concept) -> None:
    said: set[str] = set()
    for captions in (ADJECTIVES, PHRASES):
        for (attribute, _), phrases in captions.items():
            if attribute == concept.name:
                said |= {word for phrase in phrases for word in words(phrase)}
    for prompt in (*concept.prompts, *concept.evaluation):
        assert not words(prompt) & (said - NEUTRAL), prompt


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.name)
def test_there_are_prompts_enough_and_none_is_both_fitted_and_evaluated(concept: Concept) -> None:
    assert len(set(concept.prompts)) == len(concept.prompts) >= 32
    assert len(set(concept.evaluation)) == len(concept.evaluation) >= 24
    assert not set(concept.prompts) & set(concept.evaluation)


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.name)
def test_the_probe_exists_and_the_sides_differ(concept: Concept) -> None:
    assert concept.probe in PROBES
    assert len({concept.text(side, "a tune") for side in ("positive", "negative", "neutral")}) == 3
    assert concept.text("neutral", "a tune") == "a tune"
    assert concept.query("any") == concept.queries[""]


def test_the_first_prompts_of_every_concept_are_varied() -> None:
    for concept in CONCEPTS:
        assert len({tuple(sorted(words(prompt))) for prompt in concept.evaluation[:4]}) == 4


def test_prompts_are_filtered_by_whole_words() -> None:
    assert free_of(("a fast tune", "breakfast music", "Fast!"), ("fast",)) == ("breakfast music",)


def test_the_shared_lists_are_disjoint_and_in_lower_case() -> None:
    assert not set(FITTING) & set(EVALUATION)
    assert all(prompt == prompt.lower().strip() for prompt in (*FITTING, *EVALUATION))
