"""What changes a clip changes its identity, and nothing else does."""

from __future__ import annotations

import pytest
import torch
from attrs import evolve
from bench_fakes import Model

from tada_bench.identity import Fingerprint, fingerprint, identity
from tada_core.generation import Row, Settings
from tada_core.interventions import AddVector, PatchText, ShiftPrompt
from tada_core.sites import Site
from tada_core.tensors import TensorRef

MODEL = Fingerprint("fake", "abc", Settings(4.0, 16, 5.0))
ROW = Row("a tune", 0, "{p}, calm", Settings(steps=8), (ShiftPrompt("{p} fast", "{p} slow", 0.5),))


def vector(value: float) -> AddVector:
    return AddVector(Site("out", 1), TensorRef.of(torch.full((4,), value)), 1.0)


@pytest.mark.parametrize(
    "other",
    [
        evolve(ROW, seed=1),
        evolve(ROW, prompt="another tune"),
        evolve(ROW, template="{p}, wild"),
        evolve(ROW, settings=Settings(steps=9)),
        evolve(ROW, settings=Settings(steps=8, lyrics="la")),
        evolve(ROW, interventions=()),
        evolve(ROW, interventions=(ShiftPrompt("{p} fast", "{p} slow", 0.6),)),
        evolve(ROW, interventions=(*ROW.interventions, PatchText("{p} fast", (0,)))),
        evolve(ROW, interventions=(PatchText("{p} fast", (0,)), *ROW.interventions)),
    ],
)
def test_identity_changes_with_what_changes_the_clip(other: Row) -> None:
    assert identity(other, MODEL) != identity(ROW, MODEL)


def test_identity_changes_with_the_order_of_interventions() -> None:
    one, two = vector(1.0), vector(2.0)
    there, back = evolve(ROW, interventions=(one, two)), evolve(ROW, interventions=(two, one))
    assert identity(there, MODEL) != identity(back, MODEL)


def test_identity_changes_with_a_vectors_content() -> None:
    there, back = evolve(ROW, interventions=(vector(1.0),)), evolve(ROW, interventions=(vector(2.0),))
    assert identity(there, MODEL) != identity(back, MODEL)


def test_identity_changes_with_the_weights() -> None:
    assert identity(ROW, MODEL) != identity(ROW, evolve(MODEL, weights="abd"))
    assert identity(ROW, MODEL) != identity(ROW, evolve(MODEL, model="other"))


def test_identity_does_not_depend_on_how_the_text_is_split_or_a_default_is_spelled() -> None:
    plain = evolve(ROW, interventions=())
    assert identity(plain, MODEL) == identity(evolve(plain, prompt="a tune, calm", template="{p}"), MODEL)
    spelled = evolve(plain, settings=Settings(4.0, 8, 5.0))
    assert identity(plain, MODEL) == identity(spelled, MODEL)


def test_identity_reads_donor_prompts_as_the_row_fills_them() -> None:
    filled = evolve(ROW, interventions=(ShiftPrompt("a tune fast", "a tune slow", 0.5),))
    assert identity(filled, MODEL) == identity(ROW, MODEL)


def test_identity_of_version_one_is_frozen() -> None:
    """A store's clips are found by this number: changing it makes everything again, and must raise VERSION."""
    assert identity(Row("a tune"), MODEL) == "331f273e05d36491a089"


def test_fingerprint_follows_the_weights() -> None:
    assert fingerprint(Model()) == fingerprint(Model())
    assert fingerprint(Model()).weights != fingerprint(Model(weight=2.0)).weights


def test_fingerprint_follows_how_the_model_was_told_to_sample() -> None:
    assert fingerprint(Model(top_k=1)) == fingerprint(Model(top_k=1)) != fingerprint(Model(top_k=2))
    assert fingerprint(Model()) != fingerprint(Model(top_k=1))
