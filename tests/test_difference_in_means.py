"""Difference in means: vectors of the residual stream, added or taken away, each layer's own or one layer's."""

from __future__ import annotations

from typing import Any

import pytest
import tiny
import torch
from torch import Tensor

from tada_audioldm2.adapter import AudioLDM2
from tada_core import Concept, Generation, Row, TensorRef, collect, run, seed_at
from tada_core.errors import SpecError
from tada_core.testing import check_method
from tada_difference_in_means.difference_in_means import DifferenceInMeans, DifferenceInMeansArtifact

TEMPO = Concept("tempo", "fast {p}", "slow {p}", ("a calm song", "the organ tune"), ("the evening",))
ROWS = Generation("a loud tune", seeds=(0, 1))


@pytest.fixture(scope="module")
def added(model: tiny.Tiny) -> DifferenceInMeansArtifact:
    return DifferenceInMeans().fit(model, TEMPO, seeds=(0, 1))


def means(model: tiny.Tiny) -> Tensor:
    """Difference of the two sides' means, [steps, layers, width]."""
    pairs = [(prompt, seed_at(seed, place)) for place, prompt in enumerate(TEMPO.prompts) for seed in (0, 1)]
    fast, slow = (
        collect(model, [Row(prompt, seed, side) for prompt, seed in pairs], slot="residual").mean(0)
        for side in ("fast {p}", "slow {p}")
    )
    return fast - slow


def next_reads(model: tiny.Tiny, layer: int, items: Any = ()) -> Tensor:
    """What the block after a layer reads at the first step, both branches."""
    calls: list[Tensor] = []
    handle = model.denoiser.transformer_blocks[layer + 1].norm1.register_forward_pre_hook(
        lambda _, args: calls.append(args[0].clone())
    )
    try:
        run(model, ROWS.rows(items))
    finally:
        handle.remove()
    return calls[0]


def test_vectors_are_unit_differences_of_residual_means_over_steps(
    model: tiny.Tiny, added: DifferenceInMeansArtifact
) -> None:
    found = means(model)
    for layer in range(3):
        v = found[:, layer].mean(0)
        assert torch.allclose(added.tensors[f"layer.{layer}"], v / v.norm(), atol=1e-4)


@pytest.mark.parametrize("per_step", [True, False])
def test_vectors_of_their_own_length(model: tiny.Tiny, per_step: bool) -> None:
    made = DifferenceInMeans(unit_length=False, per_step=per_step).fit(model, TEMPO, seeds=(0, 1))
    found = means(model) if per_step else means(model).mean(0)
    for layer, v in enumerate(found.unbind(-2)):
        assert torch.allclose(made.tensors[f"layer.{layer}"], v, atol=1e-4)
        assert made.at(1.0, "raw")[layer].vector.tensor().equal(made.tensors[f"layer.{layer}"])
        ones = made.at(1.0, "norm")[layer].vector.tensor().norm(dim=-1)
        assert torch.allclose(ones, torch.ones_like(ones))


@pytest.mark.parametrize("branch", ["both", "cond"])
@pytest.mark.parametrize("unit", ["raw", "norm"])
def test_both_signs_move_the_stream_along_the_vector(model: tiny.Tiny, branch: Any, unit: str) -> None:
    made = DifferenceInMeans(branch=branch).fit(model, TEMPO).on((0,))
    h = next_reads(model, 0)
    for a in (-0.7, 0.7):
        moved = next_reads(model, 0, made.at(a, unit)) - h
        expected = a * (h.norm(dim=-1, keepdim=True) if unit == "norm" else 1.0) * made.tensors["layer.0"].expand_as(h)
        if branch == "cond":
            assert torch.equal(moved[:2], torch.zeros_like(moved[:2]))
        first = 2 if branch == "cond" else 0
        assert torch.allclose(moved[first:], expected[first:], atol=1e-5)


def test_ablation_leaves_nothing_along_the_vector(model: tiny.Tiny) -> None:
    made = DifferenceInMeans(mode="ablate").fit(model, TEMPO).on((0,))
    v = made.tensors["layer.0"]
    h = next_reads(model, 0)
    for a in (-1.0, 0.5, 1.0):
        new = next_reads(model, 0, made.at(a))
        assert torch.allclose(new @ v, (1 - a) * (h @ v), atol=1e-5)
        assert torch.allclose(new - (new @ v)[..., None] * v, h - (h @ v)[..., None] * v, atol=1e-5)


def test_renorm_keeps_the_norm_of_the_stream(model: tiny.Tiny) -> None:
    made = DifferenceInMeans(renorm=True).fit(model, TEMPO).on((0,))
    h, new = next_reads(model, 0), next_reads(model, 0, made.at(0.7))
    assert torch.allclose(new.norm(dim=-1), h.norm(dim=-1), atol=1e-5)
    assert not torch.allclose(new, h, rtol=1e-2)


def test_one_layer_s_vector_is_added_at_all_layers(model: tiny.Tiny, added: DifferenceInMeansArtifact) -> None:
    made = DifferenceInMeans(apply="one-to-all", source=1).fit(model, TEMPO, seeds=(0, 1))
    own = added.on((1,)).at(0.5)[0]
    assert [step.site.layer for step in made.at(0.5)] == [0, 1, 2]
    assert {step.vector for step in made.at(0.5)} == {own.vector}
    assert [step.vector for step in made.on((0, 2)).at(0.5)] == [own.vector] * 2
    h = next_reads(model, 0)
    moved = next_reads(model, 0, made.on((0,)).at(0.5, "raw")) - h
    assert torch.allclose(moved, 0.5 * added.tensors["layer.1"].expand_as(h), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "layers", "words"),
    [
        ({"apply": "one-to-all"}, None, r"source among the layers \[0, 1, 2\], not None"),
        ({"apply": "one-to-all", "source": 0}, (1, 2), r"source among the layers \[1, 2\], not 0"),
        ({"source": 1}, None, "leave it out"),
    ],
)
def test_a_source_that_cannot_be_used_is_refused(
    model: tiny.Tiny, options: dict[str, Any], layers: tuple[int, ...] | None, words: str
) -> None:
    with pytest.raises(SpecError, match=words):
        DifferenceInMeans(**options).fit(model, TEMPO, layers, progress=refuse)


def refuse(done: int, total: int) -> None:
    raise AssertionError("work started")


def test_one_vector_for_layers_of_several_widths_is_refused_before_any_clip(wide: AudioLDM2) -> None:
    widths = [layer.width for layer in wide.layers]
    with pytest.raises(SpecError, match=f"widths 0: {widths[0]}, 1: {widths[1]}"):
        DifferenceInMeans(apply="one-to-all", source=0).fit(wide, TEMPO, progress=refuse)
    equal = tuple(layer.index for layer in wide.layers if layer.width == widths[0])
    made = DifferenceInMeans(apply="one-to-all", source=0).fit(wide, TEMPO, equal)
    assert len(equal) > 1
    assert (made.width, made.layers) == (widths[0], equal)
    assert {step.vector for step in made.at(1.0, "raw")} == {TensorRef.of(made.tensors["layer.0"])}


@pytest.mark.parametrize("options", [{}, {"per_step": True}])
def test_another_number_of_steps(model: tiny.Tiny, options: dict[str, Any]) -> None:
    made = DifferenceInMeans(**options).fit(model, TEMPO)
    plain, more, less = (
        run(model, Generation("a song", steps=7).rows(items))[0].latents for items in ((), made.at(1.0), made.at(-1.0))
    )
    assert not torch.allclose(more, plain, rtol=1e-3)
    assert not torch.allclose(more, less, rtol=1e-3)


MODES = [{}, {"mode": "ablate"}, {"branch": "cond"}, {"unit_length": False}, {"per_step": True}, {"renorm": True}]


@pytest.mark.parametrize("options", [*MODES, {"mode": "ablate", "per_step": True, "renorm": True}])
@pytest.mark.parametrize("name", ["tiny", "wide", "audioldm2", "musicgen"])
def test_conforms(model: tiny.Tiny, wide: AudioLDM2, shelf: Any, name: str, options: dict[str, Any]) -> None:
    check_method(DifferenceInMeans(**options), {"tiny": model, "wide": wide}.get(name) or shelf.quick(name), TEMPO)


@pytest.mark.parametrize("mode", ["add", "ablate"])
@pytest.mark.parametrize("name", ["tiny", "musicgen"])
def test_one_to_all_conforms(model: tiny.Tiny, shelf: Any, name: str, mode: Any) -> None:
    method = DifferenceInMeans(apply="one-to-all", source=1, mode=mode)
    check_method(method, model if name == "tiny" else shelf.quick(name), TEMPO)
