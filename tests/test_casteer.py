"""CASteer: steering and removal on every branch."""

from __future__ import annotations

from typing import Any

import pytest
import tiny
import torch
from torch import Tensor
from watching import seen

from tada_audioldm2.adapter import AudioLDM2
from tada_casteer.casteer import CASteer, CASteerArtifact
from tada_core import Concept, Generation, Row, collect, run, seed_at
from tada_core.direction import difference, normalize
from tada_core.errors import SpecError
from tada_core.testing import check_method

TEMPO = Concept("tempo", "fast {p}", "slow {p}", ("a calm song", "the organ tune"), ("the evening",))
ROWS = Generation("a loud tune", seeds=(0, 1))


@pytest.fixture(scope="module")
def steer(model: tiny.Tiny) -> CASteerArtifact:
    return CASteer().fit(model, TEMPO, seeds=(0, 1))


def before_and_after(model: tiny.Tiny, layer: int, items: Any) -> tuple[Tensor, Tensor]:
    """The cross-attention output at the first step on both branches: as it was, and as the block goes on with it."""
    block = model.denoiser.transformer_blocks[layer]
    h = seen(block.attn2, model, ROWS.rows())[0]
    plain, edited = (seen(block.norm3, model, ROWS.rows(given), entering=True)[0] for given in ((), items))
    return h, h + edited - plain


def test_vectors_are_unit_differences_of_means(model: tiny.Tiny, steer: CASteerArtifact) -> None:
    pairs = [(prompt, seed_at(seed, place)) for place, prompt in enumerate(TEMPO.prompts) for seed in (0, 1)]
    fast, slow = (
        collect(model, [Row(prompt, seed, side) for prompt, seed in pairs]).mean(0) for side in ("fast {p}", "slow {p}")
    )
    shared = CASteer(per_step=False).fit(model, TEMPO, seeds=(0, 1))
    for layer in range(3):
        v = (fast - slow)[:, layer]
        assert torch.allclose(steer.tensors[f"layer.{layer}"], v / v.norm(dim=-1, keepdim=True), atol=1e-4)
        assert torch.allclose(shared.tensors[f"layer.{layer}"], v.mean(0) / v.mean(0).norm(), atol=1e-4)


@pytest.mark.parametrize("unit", ["raw", "norm"])
def test_steering_is_the_equation_on_every_branch(model: tiny.Tiny, steer: CASteerArtifact, unit: str) -> None:
    v = steer.tensors["layer.1"][0]
    for a in (-0.8, 0.8):
        items = steer.on((1,)).at(a, unit)
        assert [item.branch for item in items] == ["both"]
        h, new = before_and_after(model, 1, items)
        length = h.norm(dim=-1, keepdim=True)
        # The null text of this model is zero, and a frame without a norm has none to go back to.
        assert (length[:2] == 0).all()
        pushed = h + a * (length if unit == "norm" else 1.0) * v
        assert torch.allclose(new[2:], (pushed / pushed.norm(dim=-1, keepdim=True) * length)[2:], atol=1e-5)
        assert torch.allclose(new[:2], pushed[:2], atol=1e-5)
        assert ((new - h) @ v * a > 0)[2:].all()


def test_steering_changes_the_unconditional_pass(wide: AudioLDM2) -> None:
    made = CASteer().fit(wide, TEMPO, (1, 2))
    rows = Generation("a loud tune", steps=2).rows
    plain, more, less = (
        collect(wide, rows(items), (2,), slot="residual", branch="uncond")[0, 0, 0]
        for items in ((), made.at(0.5), made.at(-0.5))
    )
    v = made.tensors["layer.2"][0]
    assert less @ v < plain @ v < more @ v


@pytest.mark.parametrize("renorm", [True, False])
def test_removal_reflects_the_frames_of_one_side(model: tiny.Tiny, renorm: bool) -> None:
    made = CASteer(mode="remove", renorm=renorm).fit(model, TEMPO)
    v = made.tensors["layer.1"][0]
    for a, unit in ((-1.0, "norm"), (1.0, "norm"), (-1.0, "raw"), (1.0, "raw")):
        h, new = before_and_after(model, 1, made.on((1,)).at(a, unit))
        assert (h @ v > 0).any() and (h @ v < 0).any()
        assert torch.allclose(new @ v, a * (h @ v).abs(), atol=1e-5)
        assert torch.allclose(new - (new @ v)[..., None] * v, h - (h @ v)[..., None] * v, atol=1e-5)


def test_removal_grows_with_strength_and_keeps_the_norm(model: tiny.Tiny) -> None:
    made = CASteer(mode="remove").fit(model, TEMPO).on((1,))
    v = made.tensors["layer.1"][0]
    along = []
    for a in (-2.0, -0.5, 0.0, 0.5, 2.0):
        h, new = before_and_after(model, 1, made.at(a))
        assert torch.allclose(new.norm(dim=-1), h.norm(dim=-1), atol=1e-5)
        along.append(float((new @ v).mean()))
    assert along == sorted(along)
    assert len(set(along)) == 5


def test_the_same_clips_serve_caa_and_casteer() -> None:
    assert CASteer().statistic == CASteer(mode="remove", pairs=3).statistic


def test_sides_that_do_not_differ_give_no_direction() -> None:
    means = torch.ones(3, 2, 4)
    with pytest.raises(SpecError, match="same activations"):
        difference(means)
    means[1:, 0] = 2
    with pytest.raises(SpecError, match="same activations"):
        difference(means)
    assert torch.allclose(normalize(difference(means, per_step=False)), torch.full((4,), 0.5))


@pytest.mark.parametrize("mode", ["steer", "remove"])
def test_another_number_of_steps(model: tiny.Tiny, mode: Any) -> None:
    made = CASteer(mode=mode).fit(model, TEMPO)
    plain, more, less = (
        run(model, Generation("a song", steps=7).rows(items))[0].latents for items in ((), made.at(1.0), made.at(-1.0))
    )
    assert not torch.allclose(more, plain, rtol=1e-3)
    assert not torch.allclose(more, less, rtol=1e-3)


@pytest.mark.parametrize(
    "options", [{}, {"mode": "remove"}, {"renorm": False}, {"mode": "remove", "renorm": False}, {"per_step": False}]
)
@pytest.mark.parametrize("name", ["tiny", "wide", "audioldm2"])
def test_conforms(model: tiny.Tiny, wide: AudioLDM2, shelf: Any, name: str, options: dict[str, Any]) -> None:
    check_method(CASteer(**options), {"tiny": model, "wide": wide}.get(name) or shelf.quick(name), TEMPO)
