"""Recorded calls of the denoiser: made again they are the pipeline's own, under its own text and under another's."""

from __future__ import annotations

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

from tada_core import PatchText, Row, Schedule, Settings, SwitchPrompt, run
from tada_core.engine.donors import Donors, read_donors
from tada_core.engine.replay import Recorded, calls_of, record
from tada_core.engine.values import first_tensor
from tada_core.errors import EngineError, SpecError

OWN, OTHER = "a calm tune", "a loud tune"


@contextmanager
def predictions(model: Any) -> Iterator[list[Tensor]]:
    """What the denoiser gives at every call."""
    seen: list[Tensor] = []
    handle = model.denoiser.register_forward_hook(lambda *args: seen.append(first_tensor(args[-1]).clone()))
    try:
        yield seen
    finally:
        handle.remove()


def read(model: Any, row: Row, *texts: str) -> Donors:
    """Each text read by itself, so that none is padded for another."""
    found = Donors()
    for text in texts:
        found.prompts.update(read_donors(model, [text], row.settings, ()).prompts)
    return found


def at(model: Any, row: Row, step: int) -> Recorded:
    (recorded,) = record(model, [row], [[step]])
    return recorded


def last_of(model: Any, row: Row) -> int:
    return calls_of(model, row) - 1


def apart(one: Tensor, other: Tensor) -> float:
    return float(((one - other).abs().max() / other.abs().max()).detach())


# The Brownian tree of Stable Audio Open's scheduler is asked for times outside its ends by a rounding error.
@pytest.mark.filterwarnings("ignore:Should have t:UserWarning")
@pytest.mark.parametrize("name", SMALL)
def test_a_call_made_again_is_the_pipelines_own_bit_for_bit(shelf: Shelf, name: str) -> None:
    """Under its own text, and under another's as SwitchPrompt gives it at that call."""
    model = shelf.load(name)
    row = Row(OWN, 3, settings=evolve(SMALL[name].settings, guidance=1.0))
    # MusicGen's later calls remember what earlier positions made of the text.
    step, total = 0 if name.startswith("musicgen") else last_of(model, row), calls_of(model, row)
    switched = SwitchPrompt(OTHER, Schedule(step / total, (step + 1) / total))
    recorded, donors = at(model, row, step), read(model, row, OWN, OTHER)
    for text, items in ((OWN, ()), (OTHER, (switched,))):
        with predictions(model) as seen:
            run(model, [evolve(row, interventions=items)])
        # Where a donor's text is read, calls of that come first.
        assert torch.equal(recorded.predict([(text, "cond")], donors), seen[step - total]), text
    own, other = recorded.predict([(OWN, "cond"), (OTHER, "cond")], donors)
    assert not torch.equal(own, other)


def test_a_later_call_of_a_model_with_memory_reads_the_whole_sequence_again(shelf: Shelf) -> None:
    model = shelf.load("musicgen")
    row = Row(OWN, 3, settings=evolve(SMALL["musicgen"].settings, guidance=1.0))
    recorded, donors = at(model, row, last_of(model, row)), read(model, row, OWN)
    with predictions(model) as seen:
        run(model, [row])
    first, again = (recorded.predict([(OWN, "cond")], donors) for _ in range(2))
    assert apart(first, seen[-1]) < 1e-5
    assert torch.equal(first, again)
    assert recorded.kwargs["codes"].shape[-1] == calls_of(model, row)


@pytest.mark.filterwarnings("ignore:Should have t:UserWarning")
@pytest.mark.parametrize("name", SMALL)
def test_gradients_reach_the_text_and_the_weights(shelf: Shelf, name: str) -> None:
    model = shelf.load(name)
    row = Row(OWN, settings=SMALL[name].settings)
    recorded = at(model, row, last_of(model, row))
    text = dict(read(model, row, OWN).prompt(OWN, "cond"))
    leaf = model.text_kwargs[0]
    text[leaf] = text[leaf].detach().clone().requires_grad_()
    weight = model.denoiser.get_submodule(model.layers[0].module("q")).weight
    made = recorded.replay([text])
    found = torch.autograd.grad(made.pow(2).sum(), [text[leaf], weight])
    assert all(torch.isfinite(one).all() and one.abs().max() > 0 for one in found)


def test_of_a_guided_batch_the_conditional_rows_are_kept(tiny_folder: Path) -> None:
    """Rows of several lengths, each at steps of its own, against the pipeline's calls; the null text against uncond."""
    model = tiny.build(tiny_folder, torch.float64)
    rows = [Row("a calm song", 0), Row("the sad piano tune", 1), Row("the organ", 2)]
    steps = [[3, 1], [], [0]]
    with predictions(model) as seen:
        run(model, rows)
    recorded = record(model, rows, steps)
    assert [(one.place, one.call.step) for one in recorded] == [(0, 1), (0, 3), (2, 0)]
    donors = read_donors(model, [row.text for row in rows], rows[0].settings, ())
    for one in recorded:
        text = rows[one.place].text
        uncond, cond = seen[one.call.step].chunk(2)
        made = one.predict([(text, "cond"), (text, "uncond")], donors)
        for found, expected in zip(made, (cond[one.place], uncond[one.place]), strict=True):
            assert apart(found, expected) < 1e-10


def test_the_run_ends_with_the_last_step_that_is_wanted(model: tiny.Tiny) -> None:
    with predictions(model) as seen:
        record(model, [Row("a song"), Row("a tune")], [[1], [2]])
    assert len(seen) == 2
    with predictions(model) as seen:
        assert record(model, [Row("a song")], [[]]) == ()
    assert not seen


@pytest.mark.parametrize("name", ["ace-step-1.5", "musicgen"])
def test_texts_of_several_lengths_are_predicted_as_if_alone(shelf: Shelf, name: str) -> None:
    model = shelf.load(name)
    row = Row(OWN, settings=evolve(SMALL[name].settings, guidance=1.0))
    recorded = at(model, row, last_of(model, row))
    texts = [OWN, "a very long and slow and sad tune", OTHER]
    donors = read(model, row, *texts)
    together = recorded.predict([(text, "cond") for text in texts], donors)
    for text, found in zip(texts, together, strict=True):
        assert apart(found, recorded.predict([(text, "cond")], donors)[0]) < 1e-5
    assert apart(together[0], together[1]) > 1e-4


def test_rows_and_steps_that_cannot_be_recorded(model: tiny.Tiny) -> None:
    row = Row("a song", settings=Settings(steps=3))
    assert calls_of(model, row) == 3
    with pytest.raises(SpecError, match=r"steps 0 to 2, not \[3\]"):
        record(model, [row], [[3]])
    with pytest.raises(SpecError, match="only plain runs"):
        record(model, [evolve(row, interventions=(PatchText("a tune", 0),))], [[0]])


def test_a_call_that_never_comes_is_said(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "sample", lambda batch: None)
    with pytest.raises(EngineError, match=r"never called its denoiser at \(row, step\) \[\(0, 1\)\]"):
        record(model, [Row("a song")], [[1]])
