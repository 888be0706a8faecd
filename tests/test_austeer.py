"""AUSteer: counted signs, the choice of features over layers, both modes."""

from __future__ import annotations

from typing import Any

import pytest
import tiny
import torch
from watching import seen

from tada_audioldm2.adapter import AudioLDM2
from tada_austeer.austeer import AUSteer, AUSteerArtifact, momentum, strongest
from tada_core import Concept, Generation, Row, run, seed_at
from tada_core.errors import ArtifactError, SpecError
from tada_core.testing import check_method

TEMPO = Concept("tempo", "fast {p}", "slow {p}", ("a calm song", "the organ tune"), ("the evening",))


@pytest.fixture(scope="module")
def sparse(model: tiny.Tiny) -> AUSteerArtifact:
    return AUSteer(k=7).fit(model, TEMPO, seeds=(0, 1))


def test_betas_are_counted_in_the_activations(model: tiny.Tiny) -> None:
    made = AUSteer().fit(model, TEMPO, seeds=(0, 1))
    pairs = [(prompt, seed_at(seed, place)) for place, prompt in enumerate(TEMPO.prompts) for seed in (0, 1)]
    rows = [Row(prompt, seed, side) for prompt, seed in pairs for side in ("fast {p}", "slow {p}")]
    for layer in range(3):
        for step, h in enumerate(seen(model.denoiser.transformer_blocks[layer].attn2, model, rows)):
            d = h[8::2, 1:] - h[9::2, 1:]
            count = d[..., 0].numel()
            larger, smaller = (d > 0).sum((0, 1)), (d < 0).sum((0, 1))
            beta = made.tensors[f"layer.{layer}"][step]
            assert torch.allclose(beta.abs(), torch.maximum(larger, smaller) / count, atol=1e-6)
            assert torch.equal(beta > 0, larger >= smaller)


def test_k_is_over_layers_and_of_every_step(model: tiny.Tiny, sparse: AUSteerArtifact) -> None:
    whole = AUSteer().fit(model, TEMPO, seeds=(0, 1))
    kept, every = (torch.cat([one.tensors[f"layer.{i}"] for i in range(3)], -1) for one in (sparse, whole))
    assert (kept != 0).sum(-1).tolist() == [7] * 4
    assert (every != 0).all()
    for few, all_of_them in zip(kept, every, strict=True):
        assert torch.equal(few[few != 0], all_of_them[few != 0])
        assert few[few != 0].abs().min() >= all_of_them[few == 0].abs().max()


def test_steps_can_share_their_features(model: tiny.Tiny) -> None:
    made = AUSteer(k=5, per_step=False).fit(model, TEMPO)
    assert {tensor.shape for tensor in made.tensors.values()} == {(32,)}
    assert sum(int((tensor != 0).sum()) for tensor in made.tensors.values()) == 5


def test_ties_go_to_the_lowest_layer_and_then_the_lowest_feature() -> None:
    betas = {2: torch.tensor([[0.5, -0.75, 0.75]]), 5: torch.tensor([[0.75, 1.0]])}
    expected = {1: [[], [1]], 2: [[1], [1]], 3: [[1, 2], [1]], 4: [[1, 2], [0, 1]], 9: [[0, 1, 2], [0, 1]]}
    for k, places in expected.items():
        kept = strongest(betas, k)
        assert [kept[layer][0].nonzero().flatten().tolist() for layer in (2, 5)] == places
        assert all(torch.equal(kept[i][kept[i] != 0], betas[i][kept[i] != 0]) for i in betas)


def test_beta_has_the_sign_of_the_larger_share_and_equal_counts_are_ties() -> None:
    noise = torch.tensor([[[0.25, 0.5, 0.75 + 1e-7], [0.75, 0.5, 0.25]]])
    assert momentum(noise).tolist() == [pytest.approx([-0.75, 0.5, 0.75])]
    assert momentum(noise)[0, 0] == -momentum(noise)[0, 2]
    steps = torch.tensor([[[0.75], [0.0]], [[0.0], [1.0]]])
    assert momentum(steps, per_step=False).tolist() == [-0.5]


def test_sides_that_never_differ_have_no_features() -> None:
    with pytest.raises(SpecError, match="same activations"):
        strongest({0: torch.tensor([[1.0, 0.0], [0.0, 0.0]])}, 2)


def test_norm_counts_in_the_longest_layer_and_keeps_the_proportions(sparse: AUSteerArtifact) -> None:
    by_layer = {step.site.layer: step.vector.tensor() for step in sparse.at(2.0)}
    lengths = torch.stack([by_layer[layer].norm(dim=-1) for layer in by_layer])
    assert torch.allclose(lengths.amax(0), torch.ones(4))
    for layer, vector in by_layer.items():
        share = vector.norm(dim=-1) / sparse.tensors[f"layer.{layer}"].norm(dim=-1)
        first = next(iter(by_layer))
        same = by_layer[first].norm(dim=-1) / sparse.tensors[f"layer.{first}"].norm(dim=-1)
        both = ~(share.isnan() | same.isnan())
        assert torch.allclose(share[both], same[both])


def test_a_layer_is_steered_alone_as_among_the_others(sparse: AUSteerArtifact) -> None:
    for one in sparse.at(1.5):
        assert sparse.on((one.site.layer,)).at(1.5) == (one,)


def test_layers_without_a_kept_feature_are_left_out_and_refused_alone(model: tiny.Tiny) -> None:
    made = AUSteer(k=1, per_step=False).fit(model, TEMPO)
    (only,) = made.at(1.0)
    others = [layer for layer in range(3) if layer != only.site.layer]
    with pytest.raises(ArtifactError, match=rf"no kept feature.*choose from \[{only.site.layer}\]"):
        made.on(others)


@pytest.mark.parametrize("mode", ["additive", "multiplicative"])
@pytest.mark.parametrize("unit", ["raw", "norm"])
def test_a_layer_moves_as_published_to_both_sides(model: tiny.Tiny, mode: Any, unit: str) -> None:
    made = AUSteer(k=20, mode=mode).fit(model, TEMPO, layers=(1,))
    beta, block = made.tensors["layer.1"][0], model.denoiser.transformer_blocks[1]
    rows = Generation("a loud tune", seeds=(0, 1))
    h = seen(block.attn2, model, rows.rows())[0]
    plain = seen(block.norm3, model, rows.rows(), entering=True)[0]
    along = {
        ("additive", "raw"): beta.expand_as(h),
        ("additive", "norm"): h.norm(dim=-1, keepdim=True) * beta / beta.norm(),
    }.get((mode, unit), h * beta)
    for a in (-1.5, 1.5):
        moved = seen(block.norm3, model, rows.rows(made.at(a, unit)), entering=True)[0] - plain
        assert torch.equal(moved[:2], torch.zeros_like(moved[:2]))
        assert torch.allclose(moved[2:], a * along[2:], atol=1e-5)
        assert moved[2:].abs().max() > 0.01


def test_another_number_of_steps(model: tiny.Tiny, sparse: AUSteerArtifact) -> None:
    plain, more, less = (
        run(model, Generation("a song", steps=7).rows(items))[0].latents
        for items in ((), sparse.at(1.0), sparse.at(-1.0))
    )
    assert not torch.allclose(more, plain, rtol=1e-3)
    assert not torch.allclose(more, less, rtol=1e-3)


@pytest.mark.parametrize("options", [{}, {"k": 5}, {"mode": "multiplicative"}, {"renorm": True}, {"per_step": False}])
@pytest.mark.parametrize("name", ["tiny", "wide", "audioldm2"])
def test_conforms(model: tiny.Tiny, wide: AudioLDM2, shelf: Any, name: str, options: dict[str, Any]) -> None:
    check_method(AUSteer(**options), {"tiny": model, "wide": wide}.get(name) or shelf.quick(name), TEMPO)


def test_k_is_over_layers_of_several_widths(wide: AudioLDM2) -> None:
    made = AUSteer(k=11).fit(wide, TEMPO)
    assert made.width == 0
    assert all(made.tensors[f"layer.{layer.index}"].shape == (2, layer.width) for layer in wide.layers)
    assert (torch.cat(list(made.tensors.values()), -1) != 0).sum(-1).tolist() == [11, 11]
