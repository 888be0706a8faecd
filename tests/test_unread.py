"""The end of a prompt that a model does not read: named in a warning, once."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import tiny
import torch
from models.cases import SMALL, Shelf
from torch import Tensor

from tada_core import PatchText, Row
from tada_core.adapter import ModelAdapter
from tada_core.engine.check import check_rows
from tada_core.engine.donors import read_donors
from tada_core.tokens import unread
from tada_etude.adapter import Etude

MUCH = " ".join(["a calm evening song with\nloud drums and a soft piano"] * 60)
EIGHT = " ".join(["a fast piano tune"] * 8)
"""32 words."""


def test_the_end_begins_with_the_first_word_that_is_not_read_whole() -> None:
    tokenizer = tiny.tokenizer()
    assert unread(tokenizer, "a calm tune", most=3) == ""
    assert unread(tokenizer, "a calm\n\nloud tune", most=3) == "tune"
    assert unread(tokenizer, "a calm-loud tune", most=3) == "calm-loud tune"
    assert unread(tokenizer, "calm", most=0) == "calm"


@pytest.mark.parametrize("name", [name for name in SMALL if not name.startswith("musicgen")])
def test_a_model_hears_nothing_of_what_it_drops(shelf: Shelf, name: str) -> None:
    model, settings = shelf.load(name), SMALL[name].settings
    other = f"{MUCH} happy tune"
    assert model.unread(SMALL[name].other) == ""
    assert model.unread(MUCH)
    assert "happy tune" in model.unread(other)

    def heard(text: str) -> Tensor:
        return read_donors(model, [text], settings, []).prompt(text, "cond")[model.text_kwargs[0]]

    assert torch.equal(heard(MUCH), heard(other))
    assert not torch.equal(heard(MUCH), heard(f"happy tune {MUCH}"))


def test_stable_audio_3_reads_256_tokens_whatever_its_tokenizer_says(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Any = shelf.load("stable-audio-3")
    monkeypatch.setattr(model.pipe.tokenizer, "model_max_length", 10**30)
    assert model.most == 256
    assert model.unread(" ".join(["calm"] * 256)) == ""
    assert model.unread(" ".join(["calm"] * 256 + ["drums"])) == "drums"


def test_musicgen_reads_all(shelf: Shelf) -> None:
    assert shelf.load("musicgen").unread(MUCH) == ""


@pytest.fixture(scope="module")
def etude() -> ModelAdapter:
    return Etude.load()


def test_etude_reads_32_tokens(etude: ModelAdapter) -> None:
    assert etude.unread(EIGHT) == ""
    assert etude.unread(f"{EIGHT} with drums") == "with drums"


def test_a_cut_prompt_warns_once_whoever_reads_it(etude: ModelAdapter) -> None:
    cut = f"{EIGHT} with drums"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        for _ in range(2):
            check_rows(etude, [Row("a calm tune", seed) for seed in range(2)])
            check_rows(etude, [Row(cut, seed) for seed in range(2)])
    said = "a prompt is too long for 'etude', which does not read its end: 'with drums'; make it shorter"
    assert [str(one.message) for one in seen] == [said]
    with pytest.warns(UserWarning, match="'with drums'"):
        check_rows(etude, [Row("a calm tune", interventions=(PatchText(cut, 0),))])
