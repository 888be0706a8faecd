"""The table of concepts: prompts that leave the concept to the templates, and probes that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import tada_registry as tada
from tada_concepts import figure3, paper, table
from tada_concepts.lookup import KEYWORDS
from tada_concepts.prompts import EVALUATION, FITTING, free_of, written
from tada_concepts.released import read_released, write_released
from tada_core import Settings
from tada_core.concept import Concept
from tada_core.errors import SpecError
from tada_core.localization.pair import Pair, read_pairs
from tada_etude.synth.captions import ADJECTIVES, PHRASES
from tada_probes.probe import PROBES

PAPER = tuple(value for value in vars(paper).values() if isinstance(value, Concept))
FIGURE3 = tuple(value for value in vars(figure3).values() if isinstance(value, Concept))
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


@pytest.mark.parametrize("concept", (*PAPER, *FIGURE3), ids=lambda concept: concept.name)
def test_a_concept_of_the_papers_has_its_hundred_and_fifty_prompts_without_a_word_of_it(concept: Concept) -> None:
    assert (len(set(concept.prompts)), len(set(concept.evaluation))) == (50, 100)
    own = {word for side in (concept.positive, concept.negative) for word in words(side)}
    for prompt in (*concept.prompts, *concept.evaluation):
        # What both templates say ("song", "vocal", "with") tells the sides apart no more than "a" does.
        assert not words(prompt) & (own - (words(concept.positive) & words(concept.negative)) - NEUTRAL), prompt
    assert len({concept.text(side, "a tune") for side in ("positive", "negative", "neutral")}) in (2, 3)
    assert concept.probe in ("", *PROBES)


def test_concepts_of_the_papers_in_the_papers_words() -> None:
    assert (len(PAPER), len(FIGURE3)) == (10, 15)
    piano, mood, voice = (tada.get_concept(name) for name in ("piano", "mood", "vocal-gender"))
    assert [piano.text(side, "p") for side in ("positive", "negative", "neutral")] == [
        "p, with piano",
        "p",
        "p, with instrument",
    ]
    assert [mood.text(side, "p") for side in ("positive", "negative", "neutral")] == [
        "happy song, p",
        "sad song, p",
        "a song, p",
    ]
    assert (piano.query("clap"), mood.query("muq"), tada.get_concept("song-tempo").query("muq")) == (
        "a piano song",
        "a cheerful track",
        "a fast track",
    )
    assert voice.query("clap") == "This is a music of a female vocal singing"
    assert voice.query("muq") == "female, woman, vocal singing"


def test_only_voices_may_sing() -> None:
    assert {concept.name for concept in PAPER if not concept.lyrics} == {"vocal-gender", "vocal-style"}
    assert {concept.lyrics for concept in PAPER if concept.lyrics} == {"[inst]"}


def test_lyrics_are_for_models_that_sing_and_never_instead_of_others() -> None:
    class Model:
        def __init__(self, sings: bool) -> None:
            self.sings = sings

    singer: Any = Model(True)
    silent: Any = Model(False)
    assert paper.PIANO.sung(singer, Settings(steps=4)) == Settings(steps=4, lyrics="[inst]")
    assert paper.PIANO.sung(singer, Settings(lyrics="la la")) == Settings(lyrics="la la")
    assert paper.PIANO.sung(silent) == paper.VOCAL_GENDER.sung(singer) == Settings()


def test_what_figure_3_localises_has_keywords_of_its_name() -> None:
    assert {concept.name for concept in FIGURE3} <= set(KEYWORDS)
    for concept in FIGURE3:
        positive, negative = concept.name.split("-to-")
        assert positive in words(concept.positive) and negative in words(concept.negative)


def test_the_papers_kinds_of_prompts_are_each_there_once() -> None:
    assert not set(written("bases")) & set(written("evaluation"))
    for name in ("bases", "evaluation"):
        prompts = written(name)
        assert len(set(prompts)) == len(prompts)
        assert all(prompt == prompt.strip() for prompt in prompts)


ROWS = [
    {"original_feature": "violin", "clean_prompt": "a violin", "corrupted_prompt": "a trumpet"},
    {"original_feature": "violin", "clean_prompt": "same", "corrupted_prompt": "same"},
    {"original_feature": "cello", "clean_prompt": "a cello", "corrupted_prompt": "a flute"},
]


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl"])
def test_the_released_captions_become_a_file_per_concept(tmp_path: Path, ending: str) -> None:
    lines = [json.dumps(row) for row in ROWS]
    text = {
        "csv": "\n".join([",".join(ROWS[0]), *(",".join(row.values()) for row in ROWS)]),
        "json": json.dumps(ROWS),
        "jsonl": "\n".join(lines),
    }[ending]
    path = tmp_path / f"released.{ending}"
    path.write_text(text)
    assert {made.name for made in write_released(path, tmp_path / "pairs")} == {"violin-to-trumpet.json", "cello.json"}
    assert read_pairs(tmp_path / "pairs" / "violin-to-trumpet.json") == [Pair("a violin", "a trumpet")]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "original_feature,clean_prompt\nviolin,x\n", "no column 'corrupted_prompt'"),
        ("a.json", "{", "cannot read captions"),
        ("a.txt", "x", "read from .csv"),
    ],
)
def test_a_wrong_released_file_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SpecError, match=re.escape(words)):
        read_released(tmp_path / name)
    with pytest.raises(SpecError, match="cannot read captions"):
        read_released(tmp_path / "nothing.csv")
