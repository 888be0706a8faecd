"""Counterfactual captions: one pass of whole words, nothing of the concept left, every refusal with its reason."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tada_bench.app import main
from tada_concepts import table
from tada_concepts.captions import OWN, own_captions
from tada_concepts.contrasts import OWN as CONTRASTS
from tada_concepts.counterfactual import Reason, counterfactual, counterfactuals, select
from tada_concepts.keywords import Keywords
from tada_concepts.lookup import KEYWORDS, get_keywords
from tada_concepts.published import PUBLISHED
from tada_concepts.swap import swap, vowel_sound
from tada_core.errors import SpecError, UnknownNameError
from tada_core.localization.pair import Pair, read_pairs, write_pairs
from tada_etude.synth.attributes import draw
from tada_etude.synth.captions import caption as etude_caption

SYMMETRIC = {"fast": "slow", "slow": "fast", "up tempo": "down tempo", "down tempo": "up tempo", "hot": "cold"}
SYMMETRIC["cold"] = "hot"
TEMPO = get_keywords("tempo")
FILTERS = {
    "female-to-male": {"female", "woman", "girlish"},
    "male-to-female": {"male", "man"},
    "slow-to-fast": {"slow", "slowed", "slower", "slowly", "leisurely"},
    "fast-to-slow": {"fast", "rapid", "dynamic", "quick", "energetic", "groovy", "lively"},
    "happy-to-sad": {"happy", "joyful", "upbeat", "uplifting", "cheerful"},
    "sad-to-happy": {"sad", "depressing", "dejected"},
    "drums-to-saxophone": {"drums", "drum", "percussion"},
    "flute-to-maracas": {"flute", "flutes"},
    "maracas-to-flute": {"maracas", "maraca"},
    "trumpet-to-violin": {"trumpet", "trumpets"},
    "violin-to-trumpet": {"violin", "fiddle"},
    "jazz-to-opera": {"jazz", "blues"},
    "reggae-to-metal": {"reggae", "jamaican", "tropical", "beach"},
}
"""Table 5 of the paper; "slow-paced" is found as "slow" with a hyphen."""


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def cased(word: str, how: int) -> str:
    return (word, word.title(), word.upper())[how]


texts_of_table = st.lists(
    st.tuples(st.sampled_from([*SYMMETRIC]), st.integers(0, 2), st.sampled_from([" ", ", ", "-", "\n", " and "])),
    min_size=1,
).map(lambda parts: "".join(cased(word, how) + gap for word, how, gap in parts))
fillers = st.sampled_from(["a", "an", "breakfast", "steadfast", "tune", "song.", "in", "the", "slowfast", "É", "more"])


def sentences(keywords: Keywords) -> st.SearchStrategy[str]:
    """Texts of a table's words, excluded or not, and of others."""
    pool = st.sampled_from([*keywords.table, *keywords.excluded])
    listed = st.tuples(pool, st.integers(0, 2)).map(lambda pair: cased(*pair))
    return st.lists(listed | fillers, min_size=1, max_size=8).map(" ".join)


# --- swap -------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(texts_of_table)
def test_swapping_twice_gives_the_text_back(text: str) -> None:
    once = swap(text, SYMMETRIC)
    assert once != text
    assert swap(once, SYMMETRIC) == text


@settings(deadline=None)
@given(texts_of_table)
def test_nothing_is_swapped_twice(text: str) -> None:
    """Each word of the result is the partner of the word in its place."""
    partner = {"fast": "slow", "slow": "fast", "up": "down", "down": "up", "hot": "cold", "cold": "hot"}
    before, after = (re.findall(r"\w+", one.lower()) for one in (text, swap(text, SYMMETRIC)))
    assert after == [partner.get(word, word) for word in before]


@settings(deadline=None)
@given(st.text())
def test_any_text_can_be_swapped_and_what_holds_no_word_stays(text: str) -> None:
    assert swap(text, {"fast": "slow", "quick tune": "kind"}).isprintable() or not text.isprintable()
    assume("zither" not in text.casefold())
    assert swap(text, {"zither": "harp"}) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Fast, FAST and fast-paced", "Slow, SLOW and slow-paced"),
        ("breakfast, steadfast, fasting", "breakfast, steadfast, fasting"),
        ("an upbeat tune, An upbeat tune, AN UPBEAT TUNE", "a slow tune, A slow tune, A SLOW TUNE"),
        ("a rapid tune, A rapid tune, A RAPID TUNE", "an easy tune, An easy tune, AN EASY TUNE"),
        ("a fast tune in A fast", "a slow tune in A slow"),
        ("Up-Tempo, up tempo, the tempo", "Down-Tempo, down tempo, the pulse"),
        ("a string section", "a section"),
        ("a string orchestra", "an orchestra"),
        ("the woman's fast song", "the man's slow song"),
    ],
)
def test_case_hyphens_and_articles(before: str, after: str) -> None:
    swaps = {"fast": "slow", "upbeat": "slow", "rapid": "easy", "up tempo": "down tempo", "tempo": "pulse"}
    assert swap(before, {**swaps, "string": "", "woman": "man"}) == after


def test_the_sound_not_the_letter_decides_on_the_article() -> None:
    assert [vowel_sound(word) for word in ("hour", "honest", "upbeat", "Elated", "unhurried")] == [True] * 5
    assert [vowel_sound(word) for word in ("house", "one", "unison", "European", "slow", "")] == [False] * 6


# --- keywords ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keywords", KEYWORDS.values(), ids=lambda keywords: keywords.concept)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_no_word_of_the_concept_and_none_excluded_survives(keywords: Keywords, data: st.DataObject) -> None:
    text = data.draw(sentences(keywords))
    made = counterfactual(text, keywords)
    if isinstance(made, Pair):
        assert not keywords.found(made.positive) & {*keywords.excluded}
        assert not keywords.found(made.negative) & {*keywords.table}
        assert keywords.found(made.positive) & {*keywords.swaps}
        assert made.positive != made.negative


@pytest.mark.parametrize("keywords", KEYWORDS.values(), ids=lambda keywords: keywords.concept)
def test_every_word_alone_is_swapped_and_every_excluded_one_rules_out(keywords: Keywords) -> None:
    for word, replacement in keywords.swaps.items():
        assert counterfactual(f"this {word} here", keywords) == Pair(f"this {word} here", f"this {replacement} here")
    word = next(iter(keywords.swaps))
    for excluded in keywords.excluded:
        assert counterfactual(f"{word}; {excluded}", keywords) is Reason.OPPOSITE
    for word in keywords.also:
        assert counterfactual(f"this {word} here", keywords) is Reason.ABSENT


def test_the_papers_filter_keywords_select() -> None:
    for name, filters in FILTERS.items():
        assert {*get_keywords(name).swaps} >= filters
    assert {keywords.concept for keywords in PUBLISHED} == {*FILTERS, "guitar-to-piano", "techno-to-folk"}


def test_the_papers_examples() -> None:
    """Table 4, shortened."""
    for name, positive, negative in (
        ("female-to-male", "soft female vocal singing over it.", "soft male vocal singing over it."),
        ("slow-to-fast", "The song has a slow tempo.", "The song has a fast tempo."),
        ("happy-to-sad", "The atmosphere is joyful.", "The atmosphere is sorrowful."),
        ("violin-to-trumpet", "A violin plays a droning melody.", "A trumpet plays a droning melody."),
        ("reggae-to-metal", "features a reggae/dub song", "features a metal/dub song"),
    ):
        assert counterfactual(positive, get_keywords(name)) == Pair(positive, negative)


def test_every_concept_of_the_table_has_keywords_and_names_are_unique() -> None:
    names = {name.lower() for name, value in vars(table).items() if name.isupper() and hasattr(value, "probe")}
    assert {keywords.concept for keywords in CONTRASTS} == names
    assert len(KEYWORDS) == len(CONTRASTS) + len(PUBLISHED)
    with pytest.raises(UnknownNameError, match="nearest: tempo"):
        get_keywords("temp")


@pytest.mark.parametrize(
    ("swaps", "excluded", "also", "message"),
    [
        ({}, (), {}, "need swaps"),
        ({"fast": "slow", " ": "x"}, (), {}, "no empty word"),
        ({"fast": "slow"}, ("Fast",), {}, "list 'fast' twice"),
        ({"up-tempo": "slow"}, (), {"up tempo": "slow"}, "list 'up tempo' twice"),
        ({"fast": "very Fast"}, (), {}, "holds 'Fast', a word of the concept"),
        ({"fast": "slow", "slow": "fast"}, (), {}, "a word of the concept"),
    ],
)
def test_tables_that_cannot_work_are_refused(
    swaps: dict[str, str], excluded: tuple[str, ...], also: dict[str, str], message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        Keywords("mine", swaps, excluded, also)


# --- the builder ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("a piano tune", Reason.ABSENT),
        ("a slow tune", Reason.ABSENT),
        ("", Reason.ABSENT),
        ("a fast tune, then a slow one", Reason.OPPOSITE),
        ("a fast tune, then slowing", Reason.FORM),
        ("a fast tune with liveliness", Reason.FORM),
        ("a fast tune sung energetically", Reason.FORM),
        ("a more lively tune", Reason.COMPARATIVE),
        ("rapidly and quickly sung, at a fast pace", Reason.DOUBLED),
    ],
)
def test_why_a_caption_makes_no_pair(caption: str, reason: Reason) -> None:
    assert counterfactual(caption, TEMPO) is reason


def test_what_a_caption_says_twice_itself_its_counterfactual_may() -> None:
    assert isinstance(counterfactual("a fast, fast tune", TEMPO), Pair)


@pytest.mark.parametrize("caption", ["string", "violin and string", "String music. Violin.", "the string, violin"])
def test_a_removed_word_leaves_no_gap(caption: str) -> None:
    violin = Keywords("violin", {"violin": "trumpet", "string": ""})
    assert counterfactual(caption, violin) is Reason.GAP


def test_words_that_a_removal_brings_together_are_seen() -> None:
    pace = Keywords("pace", {"quick": "", "up tempo": "slow"})
    assert counterfactual("an up quick tempo tune", pace) is Reason.REMAINS


def test_without_denies_only_what_it_should() -> None:
    drums = get_keywords("drums")
    assert counterfactual("a song with drums, guitar and bass", drums) is Reason.REACH
    assert counterfactual("a song with guitar and drums", drums) == Pair(
        "a song with guitar and drums", "a song with guitar and no drums"
    )
    assert counterfactual("a song with drums. The drums are loud.", drums) is Reason.OPPOSITE


def test_captions_are_counted_once_each_and_the_first_ones_are_kept() -> None:
    captions = ["a fast tune", "a piano tune", "a fast tune ", "a quick tune", "fast or slow", "a rapid tune"]
    made = select(captions, TEMPO, most=2)
    assert [pair.negative for pair in made.pairs] == ["a slow tune", "a leisurely tune"]
    assert made.dropped == {Reason.ABSENT: 1, Reason.REPEATED: 1, Reason.OPPOSITE: 1, Reason.SURPLUS: 1}
    assert made.read == len(captions)
    assert counterfactuals(captions, TEMPO) == [*made.pairs, Pair("a rapid tune", "an unhurried tune")]
    with pytest.raises(SpecError, match="1 or more"):
        counterfactuals(captions, TEMPO, most=0)


@settings(deadline=None)
@given(st.lists(fillers).map(" ".join))
def test_a_text_without_keywords_gives_nothing(text: str) -> None:
    assert counterfactuals([text], TEMPO) == []


# --- captions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keywords", KEYWORDS.values(), ids=lambda keywords: keywords.concept)
def test_the_projects_captions_cover_every_concept(keywords: Keywords) -> None:
    pairs = counterfactuals(own_captions(), keywords)
    assert len(pairs) >= 4
    used = {word for pair in pairs for word in keywords.found(pair.positive)}
    assert 3 * len(used & {*keywords.swaps}) >= 2 * len(keywords.swaps)


def test_pairs_of_etudes_captions_stay_in_its_words() -> None:
    known = {word for seed in range(3000) for word in words(etude_caption(draw(seed), seed))}
    for keywords in CONTRASTS:
        pairs = counterfactuals(own_captions("etude"), keywords)
        assert len(pairs) >= 8
        for pair in pairs:
            assert not (words(pair.positive) | words(pair.negative)) - known


@pytest.mark.parametrize("name", OWN)
def test_the_projects_captions_are_unlike_each_other(name: str) -> None:
    captions = own_captions(name)
    assert len(set(captions)) == len(captions) >= 60
    with pytest.raises(UnknownNameError, match="music"):
        own_captions("musics")


# --- pairs ------------------------------------------------------------------------------------------------------------


def test_pairs_are_read_as_written(tmp_path: Path) -> None:
    pairs = [Pair("ein schöner Tag", "ein Tag"), Pair("b", "c")]
    assert read_pairs(write_pairs(pairs, tmp_path / "deep" / "pairs.json")) == pairs


def test_pairs_that_are_none_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no pairs to write"):
        write_pairs([], tmp_path / "pairs.json")
    with pytest.raises(SpecError, match=r"\.json file"):
        write_pairs([Pair("a", "b")], tmp_path / "pairs.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "cannot read pairs"),
        ("[]", "no list of pairs"),
        ('{"positive": "a"}', "no list of pairs"),
        ('[{"positive": "a", "negative": "b"}, {"positive": "a"}]', "pair 2 of .* it has positive"),
        ('[{"positive": "a", "negative": "b", "more": "c"}]', "and no others"),
        ('["a"]', "pair 1 .* needs the keys"),
        ('[{"positive": "a", "negative": 1}]', "needs texts"),
        ('[{"positive": "a", "negative": "a"}]', "pair 1 .* must differ"),
        ('[{"positive": "a", "negative": " "}]', "pair 1 .* is empty"),
    ],
)
def test_files_without_pairs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "pairs.json").write_text(text)
    with pytest.raises(SpecError, match=message):
        read_pairs(tmp_path / "pairs.json")
    with pytest.raises(SpecError, match="cannot read pairs"):
        read_pairs(tmp_path / "missing.json")


# --- the command ------------------------------------------------------------------------------------------------------


def tada(*arguments: str) -> int:
    """Exit status of a command line."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    return int(stopped.value.code or 0)


def test_the_command_writes_pairs_and_says_what_was_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_text("caption\na fast tune\na piano tune\na fast or slow tune\nan energetic tune\n")
    assert tada("counterfactuals", "tempo", "--captions", "mine.csv", "--out", "pairs.json") == 0
    shown = capsys.readouterr().out
    assert shown.startswith("tempo: 2 of 4 captions make a pair\n")
    assert f"     1 left out: {Reason.OPPOSITE}\n" in shown
    assert "  + an energetic tune\n  - a relaxed tune\n" in shown
    assert shown.endswith("pairs: pairs.json\n")
    assert read_pairs("pairs.json")[1] == Pair("an energetic tune", "a relaxed tune")


def test_the_command_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert tada("counterfactuals", "drums", "--captions", "etude", "--most", "3", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["concept"], found["kept"], len(found["pairs"])) == ("drums", 3, 3)
    assert found["kept"] + sum(found["dropped"].values()) == found["read"] == len(own_captions("etude"))
    assert found["dropped"]["surplus"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("temp",), "unknown keywords 'temp'; nearest: tempo"),
        (("tempo", "--captions", "nothing.csv"), "cannot read captions from 'nothing.csv'"),
        (("tempo", "--captions", "musik"), "the project's own"),
        (("tempo", "--out", "pairs.txt"), "to a .json file"),
    ],
)
def test_the_command_says_what_is_wrong(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tada("counterfactuals", *arguments) == 2
    assert message in capsys.readouterr().err
