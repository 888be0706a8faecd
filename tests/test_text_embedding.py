"""Text embeddings and token embeddings: what the denoiser reads, where, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from attrs import evolve
from models.cases import SMALL, Shelf
from torch import Tensor

import tada_registry as tada
from tada_core import Artifact, Concept, Generation, Row, Settings, SteeringMethod, run
from tada_core.engine.donors import read_donors
from tada_core.errors import ArtifactError, SpecError
from tada_core.testing import check_method
from tada_text_embedding.text import TextEmbedding
from tada_text_embedding.token import TokenEmbedding, TokenEmbeddingArtifact
from tada_text_embedding.words import free_of, neutral_word, own_word

TEMPO = Concept("tempo", "fast {p}", "slow {p}", ("a calm song", "the organ tune", "a piano song"), ("the evening",))
CALM = evolve(TEMPO, neutral="calm {p}", prompts=("a song", "the organ tune", "piano song"))
"""A concept as the paper has it: a neutral word stands where the two others would."""
BOTH: list[SteeringMethod] = [TextEmbedding(), TokenEmbedding(), TextEmbedding("both"), TokenEmbedding(branch="both")]


@pytest.fixture(scope="module")
def exact(tiny_folder: Path) -> tiny.Tiny:
    return tiny.build(tiny_folder, torch.float64)


def apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


@contextmanager
def text_read(model: tiny.Tiny) -> Iterator[list[Tensor]]:
    """The text that the denoiser's first layer reads in every call, [rows, tokens, width], before its projection."""
    seen: list[Tensor] = []
    handle = model.denoiser.cross_attention_proj.register_forward_pre_hook(lambda _, args: seen.append(args[0].clone()))
    try:
        yield seen
    finally:
        handle.remove()


def embedded(model: tiny.Tiny, text: str) -> Tensor:
    return read_donors(model, [text], Settings(), []).prompt(text, "cond")["encoder_hidden_states"]


@pytest.mark.parametrize("method", BOTH)
@pytest.mark.parametrize("concept", [TEMPO, CALM])
def test_both_are_methods(model: tiny.Tiny, method: SteeringMethod, concept: Concept) -> None:
    check_method(method, model, concept)


@pytest.mark.parametrize("method", BOTH[:2])
@pytest.mark.parametrize("name", ["ace-step", "audioldm2"])
def test_both_on_other_models(shelf: Shelf, method: SteeringMethod, name: str) -> None:
    """A model with a token before the prompt's, and one with two text encoders."""
    model, artifact = shelf.load(name), method.fit(shelf.load(name), TEMPO)
    rows = [Row("a calm song", settings=SMALL[name].settings, interventions=artifact.at(a)) for a in (0, -1, 1)]
    zero, less, more = (run(model, [row])[0].latents.double() for row in rows)
    assert torch.equal(zero, run(model, [evolve(rows[0], interventions=())])[0].latents.double())
    assert min(apart(less, zero), apart(more, zero), apart(more, less)) > 1e-6


@pytest.mark.parametrize("branch", ["cond", "both"])
def test_from_the_negative_prompt_strength_one_is_the_positive_one(exact: tiny.Tiny, branch: Any) -> None:
    """Of another length, so that it holds beyond the row's own tokens too."""
    concept = evolve(TEMPO, positive="fast loud happy {p}", neutral=TEMPO.negative)
    artifact = TextEmbedding(branch).fit(exact, concept)
    steered, negative, positive = (
        run(exact, Generation("song", template=template).rows(items))[0].latents
        for template, items in (
            (concept.neutral, artifact.at(1.0)),
            (concept.negative, ()),
            (concept.positive, ()),
        )
    )
    assert apart(steered, positive) < 1e-10
    assert apart(negative, positive) > 1e-3


def test_the_text_moves_by_the_strength_on_its_branch_alone(exact: tiny.Tiny) -> None:
    artifact = TextEmbedding().fit(exact, TEMPO)
    with text_read(exact) as seen:
        run(exact, Generation("a song").rows())
        plain = seen[-1]
        run(exact, Generation("a song").rows(artifact.at(-2.0)))
    assert torch.equal(seen[-1][0, : plain.shape[1]], plain[0])
    sides = [embedded(exact, f"{word} a song") for word in ("fast", "slow")]
    own = torch.nn.functional.pad(plain[1], (0, 0, 0, len(sides[0]) - plain.shape[1]))
    assert torch.allclose(seen[-1][1], own - 2 * (sides[0] - sides[1]), atol=1e-12)


def test_a_direction_is_the_difference_of_mean_words(exact: tiny.Tiny) -> None:
    artifact = TokenEmbedding().fit(exact, TEMPO)
    means = [
        torch.stack([embedded(exact, f"{word} {p}")[0] for p in TEMPO.prompts]).mean(0) for word in ("fast", "slow")
    ]
    assert torch.allclose(artifact.tensors["direction"].double(), means[0] - means[1], atol=1e-6)
    assert artifact.tensors["direction"].norm() != 1
    assert artifact.options["pairs"] == 3
    assert TokenEmbedding(pairs=2).fit(exact, TEMPO).options["pairs"] == 2


@pytest.mark.parametrize(
    ("concept", "places"), [(CALM, [0]), (TEMPO, [0, 1]), (evolve(TEMPO, neutral="{p} , evening fast"), [3])]
)
def test_a_word_moves_alone_and_by_the_strength(exact: tiny.Tiny, concept: Concept, places: list[int]) -> None:
    artifact = TokenEmbedding().fit(exact, concept)
    rows = Generation("the organ", template=concept.neutral)
    with text_read(exact) as seen:
        run(exact, rows.rows())
        run(exact, rows.rows(artifact.at(1.5)))
    plain, moved = seen[0], seen[-1]
    assert torch.equal(moved[0], plain[0])
    difference = moved[1] - plain[1]
    assert difference.any(-1).nonzero().flatten().tolist() == places
    assert torch.allclose(difference[places], 1.5 * artifact.tensors["direction"].double(), atol=1e-12)


@pytest.mark.parametrize("branch", ["cond", "both"])
def test_a_moved_word_is_moved_on_its_branches(exact: tiny.Tiny, branch: Any) -> None:
    artifact = TokenEmbedding(branch=branch).fit(exact, CALM)
    with text_read(exact) as seen:
        run(exact, Generation("a song", template="calm {p}").rows())
        run(exact, Generation("a song", template="calm {p}").rows(artifact.at(1.0)))
    changed = [not torch.equal(one, other) for one, other in zip(seen[0], seen[-1], strict=True)]
    assert changed == [branch == "both", True]


def test_rows_of_a_batch_do_not_depend_on_each_other(exact: tiny.Tiny) -> None:
    text, token = (method.fit(exact, TEMPO) for method in BOTH[:2])
    items = [text.at(1.0), token.at(2.0), (), (*token.at(-1.0), *text.at(0.5))]
    prompts = ("a song", "the loud organ tune", "a calm song", "piano")
    rows = [
        Row(prompt, seed, interventions=item) for seed, (prompt, item) in enumerate(zip(prompts, items, strict=True))
    ]
    for row, clip in zip(rows, run(exact, rows), strict=True):
        assert apart(clip.latents, run(exact, [row])[0].latents) < 1e-10


@pytest.mark.parametrize("method", BOTH[:2])
def test_a_choice_of_layers_is_refused_with_what_to_take_instead(
    model: tiny.Tiny, method: SteeringMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = method.fit(model, TEMPO, layers=(0, 1, 2))
    monkeypatch.setattr(model, "sample", None)
    with pytest.raises(SpecError, match=rf"{method.name} .* pci .* freesliders .* caa"):
        method.fit(model, TEMPO, layers=(1,))
    with pytest.raises(ArtifactError, match="not fitted on layers"):
        artifact.on((1,))


@pytest.mark.parametrize(
    ("method", "concept", "words"),
    [
        (TokenEmbedding(), evolve(TEMPO, negative="{p}"), r"'\{p\}' has no word .* option negative_word"),
        (TokenEmbedding(), evolve(TEMPO, positive="{p}, not slow"), "option negative_word"),
        (TokenEmbedding(), evolve(TEMPO, positive="fast loud {p}"), r"several words \(fast, loud\) .* positive_word"),
        (TokenEmbedding(positive_word="happy"), TEMPO, "the word 'happy' is not in the prompt 'fast a calm song'"),
        (TokenEmbedding(), evolve(TEMPO, prompts=("a fast song", "slow")), "holds one of the words fast, slow"),
    ],
)
def test_a_word_that_is_not_known_is_refused_before_any_work(
    model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch, method: TokenEmbedding, concept: Concept, words: str
) -> None:
    monkeypatch.setattr(model, "sample", None)
    with pytest.raises(SpecError, match=words):
        method.fit(model, concept)


def test_words_that_read_alike_give_no_direction(model: tiny.Tiny) -> None:
    alike = evolve(TEMPO, positive="unknownone {p}", negative="unknowntwo {p}")
    with pytest.raises(SpecError, match="read alike"):
        TokenEmbedding().fit(model, alike)


def test_a_prompt_without_the_word_that_moves_is_refused(model: tiny.Tiny) -> None:
    artifact = TokenEmbedding(anchor="piano").fit(model, TEMPO)
    assert run(model, Generation("a piano song").rows(artifact.at(1.0)))
    with pytest.raises(SpecError, match=re.escape("the word 'piano' is not in the prompt 'an organ song'")):
        run(model, Generation("an organ song").rows(artifact.at(1.0)))


@pytest.mark.parametrize("prompt", ["a song.", "(piano) song", "a song"])
def test_a_whole_prompt_moves_whatever_it_begins_and_ends_with(model: tiny.Tiny, prompt: str) -> None:
    artifact = TokenEmbedding().fit(model, TEMPO)
    plain, moved = (run(model, Generation(prompt).rows(items))[0].latents for items in ((), artifact.at(1.0)))
    assert apart(moved, plain) > 1e-4


def test_words_are_found_in_the_templates() -> None:
    for name, found in {
        "tempo": ("fast", "slow"),
        "brightness": ("bright", "dark"),
        "drums": ("with", "without"),
        "register": ("high", "low"),
        "mode": ("major", "minor"),
    }.items():
        concept = tada.get_concept(name)
        assert (own_word(concept, "positive", ""), own_word(concept, "negative", "")) == found
        assert neutral_word(concept) == "{p}"
    assert neutral_word(evolve(TEMPO, positive="{p}, fast tempo", neutral="{p}, medium tempo")) == "medium"
    assert neutral_word(evolve(TEMPO, positive="{p}, fast tempo", neutral="{p}, tempo")) == "tempo"
    assert free_of(evolve(TEMPO, prompts=("music with bells", "a tune")), "with", "without") == ["a tune"]


def test_a_direction_survives_saving(model: tiny.Tiny, tmp_path: Path) -> None:
    artifact: Artifact = TokenEmbedding(anchor="song", pairs=1).fit(model, TEMPO)
    again = TokenEmbeddingArtifact.from_pretrained(artifact.save_pretrained(tmp_path / "token"))
    assert again.at(1.5) == artifact.at(1.5)
    assert torch.equal(again.at(1.5)[0].vector.tensor(), artifact.tensors["direction"])
    assert again.options["anchor"] == "song"
