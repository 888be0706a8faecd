"""FreeSliders, and BlendScore on some layers, which alone read the two prompts in the extra passes."""

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

from tada_core import BlendScore, Concept, Generation, Intervention, PatchText, Row, Schedule, SwitchPrompt, run
from tada_core.errors import SpecError, UnknownNameError
from tada_core.serial import from_dict, to_dict
from tada_core.testing import check_method
from tada_freesliders.freesliders import FreeSliders, FreeSlidersArtifact

TEMPO = Concept("tempo", "fast {p}", "slow {p}", ("a calm song", "the organ tune", "a piano song"), ("the evening",))
FAST, SLOW = TEMPO.positive, TEMPO.negative


@pytest.fixture(scope="module")
def exact(tiny_folder: Path) -> tiny.Tiny:
    return tiny.build(tiny_folder, torch.float64)


def latents(model: Any, *items: Intervention, prompt: str = "a calm song", **settings: Any) -> Tensor:
    return run(model, Generation(prompt, **settings).rows(items))[0].latents


def apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


@contextmanager
def texts_read(model: tiny.Tiny) -> Iterator[list[list[Tensor]]]:
    """The text that every layer reads, a list per layer with one tensor per call."""
    seen: list[list[Tensor]] = [[] for _ in model.layers]
    handles = [
        block.attn2.to_k.register_forward_pre_hook(lambda _, args, at=at: seen[at].append(args[0].clone()))
        for at, block in enumerate(model.denoiser.transformer_blocks)
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


@pytest.mark.parametrize("layers", [None, (1,)])
def test_freesliders_is_a_method(model: tiny.Tiny, layers: Any) -> None:
    class Chosen(FreeSliders):
        def fit(self, model: Any, concept: Concept, *_: Any, **__: Any) -> FreeSlidersArtifact:
            return super().fit(model, concept, layers)

    check_method(Chosen(), model, TEMPO)


@pytest.mark.parametrize("name", ["ace-step", "musicgen", "ace-step-1.5"])
def test_freesliders_on_other_models(shelf: Shelf, name: str) -> None:
    """One that calls the branches apart, one whose extra passes read a sequence again, one without a mask."""
    model, settings = shelf.load(name), SMALL[name].settings
    artifact = FreeSliders(start=0).fit(model, TEMPO)
    rows = [
        Row("a calm song", settings=settings, interventions=items)
        for items in ((), artifact.at(0.0), artifact.at(4.0), artifact.on((0,)).at(4.0))
    ]
    plain, zero, whole, local = (run(model, [row])[0].latents.double() for row in rows)
    assert torch.equal(plain, zero)
    assert min(apart(whole, plain), apart(local, plain), apart(local, whole)) > 1e-6


def test_without_a_mask_both_sides_need_one_length(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    model = shelf.load("ace-step-1.5")
    monkeypatch.setattr(model, "sample", None)
    with pytest.raises(SpecError, match=r"'very fast a song' has \d+ tokens, .* prompts of one length"):
        latents(model, BlendScore("very fast {p}", SLOW, 1.0), prompt="a song")


def test_it_begins_where_published_code_does(model: tiny.Tiny) -> None:
    artifact = FreeSliders().fit(model, TEMPO)
    assert artifact.at(1.0)[0].schedule.gains(50) == (0.0,) * 15 + (1.0,) * 35
    assert (artifact.at(2.0)[0].positive, artifact.at(2.0)[0].negative) == (FAST, SLOW)
    assert artifact.at(2.0)[0].layers is None
    assert artifact.on((0, 2)).at(2.0)[0].layers == (0, 2)
    with pytest.raises(ValueError, match="start"):
        FreeSliders(start=1.0)
    with pytest.raises(UnknownNameError, match="layer '9'"):
        FreeSliders().fit(model, TEMPO, layers=(9,))


def test_strength_one_from_the_negative_prompt_is_the_positive_prompt(exact: tiny.Tiny) -> None:
    """Without guidance v(negative) + (v(positive) - v(negative)) is v(positive), at every step."""
    artifact = FreeSliders(start=0).fit(exact, TEMPO)
    negative, positive = (latents(exact, prompt=prompt, guidance=1.0) for prompt in ("slow song", "fast song"))
    steered = run(exact, Generation("song", template=SLOW, guidance=1.0).rows(artifact.at(1.0)))[0].latents
    assert apart(steered, positive) < 1e-10
    assert apart(negative, positive) > 1e-3


def test_all_layers_chosen_is_the_whole_network(exact: tiny.Tiny) -> None:
    """In this model the text enters nowhere else."""
    whole = BlendScore(FAST, SLOW, 2.0)
    plain, everywhere, every = (latents(exact, *items) for items in ((), (whole,), (evolve(whole, layers=(0, 1, 2)),)))
    assert apart(every, everywhere) < 1e-10
    assert apart(everywhere, plain) > 1e-3


def test_single_layers_differ_from_each_other_the_whole_and_nothing(exact: tiny.Tiny) -> None:
    found = [latents(exact, BlendScore(FAST, SLOW, 2.0, layers=layers)) for layers in (None, 0, 1, 2)]
    found.append(latents(exact))
    assert min(apart(one, other) for at, one in enumerate(found) for other in found[:at]) > 1e-4


def test_a_local_blend_is_the_difference_of_two_patched_runs(exact: tiny.Tiny) -> None:
    """On the linear last step of a run without guidance: clip + a (clip patched with positive - with negative)."""
    once = {"guidance": 1.0, "steps": 1}
    plain, positive, negative, blended = (
        latents(exact, *items, **once)
        for items in (
            (),
            (PatchText(FAST, 1),),
            (PatchText(SLOW, 1),),
            (BlendScore(FAST, SLOW, 0.7, layers=1),),
        )
    )
    assert apart(blended, plain + 0.7 * (positive - negative)) < 1e-10
    assert apart(blended, plain) > 1e-4


def test_layers_that_are_not_chosen_read_the_rows_own_text(model: tiny.Tiny) -> None:
    with texts_read(model) as seen:
        latents(model, steps=1)
        plain = [calls[-1][1] for calls in seen]
        latents(model, BlendScore(FAST, SLOW, 1.0, layers=1), steps=1)
    # The last two calls: the extra pass [positive, negative], then the guided one [uncond, cond].
    extra = [calls[-2] for calls in seen]
    assert [len(one) for one in extra] == [2, 2, 2]
    for layer in (0, 2):
        assert all(torch.equal(row[: len(plain[layer])], plain[layer]) for row in extra[layer])
    assert not torch.equal(extra[1][0], extra[1][1])
    assert torch.equal(seen[1][-1][1], plain[1])


def test_rows_of_a_batch_do_not_depend_on_each_other(exact: tiny.Tiny) -> None:
    """Whole, local, patched and plain rows, of different lengths, on windows of their own."""
    rows = [
        Row("a calm song", 0, interventions=(BlendScore(FAST, SLOW, 2.0, layers=0),)),
        Row("the organ tune", 1, interventions=(BlendScore(FAST, SLOW, -1.0, Schedule(0.5)),)),
        Row("the evening", 2, interventions=(BlendScore("bright dark {p}", SLOW, 3.0, Schedule(0, 0.6), (1, 2)),)),
        Row("a song", 3, interventions=(PatchText(FAST, 0), BlendScore(FAST, SLOW, 2.0, layers=0))),
        Row("a song", 4),
    ]
    for row, clip in zip(rows, run(exact, rows), strict=True):
        assert apart(clip.latents, run(exact, [row])[0].latents) < 1e-10


def test_a_local_blend_goes_with_a_switched_prompt(exact: tiny.Tiny) -> None:
    """Layers that are not chosen read what the prompt was switched to, so that the clip is that of the other prompt."""
    blend = BlendScore("fast song", "slow song", 2.0, layers=1)
    switched = latents(exact, SwitchPrompt("the organ tune"), blend)
    assert apart(switched, latents(exact, blend, prompt="the organ tune")) < 1e-10
    assert apart(switched, latents(exact, blend)) > 1e-3


def test_layers_of_a_blend_survive_json_and_are_checked(model: tiny.Tiny) -> None:
    item = BlendScore(FAST, SLOW, 1.0, layers=(2, 0, 2))
    assert item.layers == (0, 2)
    assert from_dict(to_dict(item)) == item
    assert from_dict(to_dict(BlendScore(FAST, SLOW, 1.0))).layers is None
    with pytest.raises(UnknownNameError, match=re.escape("layers 0 to 2")):
        latents(model, evolve(item, layers=7))
    with pytest.raises(SpecError, match="at least one layer"):
        BlendScore(FAST, SLOW, 1.0, layers=())
