"""The equations by their invariants."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tada_core.maths.ablate import ablate
from tada_core.maths.add_vector import add_vector
from tada_core.maths.blend import shift
from tada_core.maths.impact import impact
from tada_core.maths.low_rank import low_rank
from tada_core.maths.renorm import renorm
from tada_core.maths.sae import decode, edit_features, encode, feature_vector
from tada_core.maths.trajectory import at_step

seeds = st.integers(0, 2**31)
strengths = st.floats(-50, 50, allow_nan=False)


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(seeds, strengths)
def test_renorm_keeps_every_frame_s_norm(seed: int, a: float) -> None:
    h, v = draw(seed, 2, 3, 5), draw(seed + 1, 5)
    new = renorm(add_vector(h, v, a), h)
    assert torch.allclose(new.norm(dim=-1), h.norm(dim=-1))


def test_renorm_leaves_frames_of_zero_norm() -> None:
    h = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    assert torch.equal(renorm(torch.ones(2, 2), h)[0], torch.ones(2))
    assert torch.equal(renorm(torch.zeros(2, 2), h), torch.zeros(2, 2))


@given(seeds)
def test_renorm_turns_towards_the_vector(seed: int) -> None:
    h, v = draw(seed, 4, 6), draw(seed + 1, 6)
    before = torch.cosine_similarity(h, v, dim=-1)
    after = torch.cosine_similarity(renorm(add_vector(h, v, 2.0), h), v, dim=-1)
    assert (after > before).all()


@given(seeds, strengths)
def test_add_vector_is_linear_and_zero_is_the_identity(seed: int, a: float) -> None:
    h, v = draw(seed, 2, 3, 5), draw(seed + 1, 5)
    assert torch.equal(add_vector(h, v, 0.0), h)
    assert torch.allclose(add_vector(h, v, a) - h, h + a * v - h)


@given(seeds)
def test_norm_unit_moves_by_a_share_of_the_frame_s_norm(seed: int) -> None:
    h, v = draw(seed, 2, 3, 5), torch.nn.functional.normalize(draw(seed + 1, 5), dim=-1)
    moved = (add_vector(h, v, 0.25, "norm") - h).norm(dim=-1)
    assert torch.allclose(moved, 0.25 * h.norm(dim=-1))


@given(seeds)
def test_directional_ablation_is_a_projection(seed: int) -> None:
    h, v = draw(seed, 2, 3, 5), draw(seed + 1, 5)
    once = ablate(h, v)
    assert torch.allclose(once @ v, torch.zeros(2, 3, dtype=torch.float64), atol=1e-9)
    assert torch.allclose(ablate(once, v), once)
    assert torch.equal(ablate(h, v, 0.0), h)


def test_full_ablation_is_zero() -> None:
    assert torch.equal(ablate(torch.ones(2, 3), None), torch.zeros(2, 3))


def autoencoder(seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return draw(seed, 5, 9), draw(seed + 1, 9), draw(seed + 2, 9, 5), draw(seed + 3, 5)


@given(seeds, st.integers(1, 9))
def test_sae_keeps_at_most_k_features_none_below_zero(seed: int, k: int) -> None:
    encoder, bias, _, centre = autoencoder(seed)
    f = encode(draw(seed + 4, 2, 3, 5), encoder, bias, centre, k)
    assert (f >= 0).all()
    assert ((f > 0).sum(-1) <= k).all()


@given(seeds)
def test_sae_edit_of_nothing_is_the_identity_and_keeps_the_error(seed: int) -> None:
    encoder, bias, decoder, centre = autoencoder(seed)
    h = draw(seed + 4, 2, 3, 5)
    f = encode(h, encoder, bias, centre, 3)
    assert torch.equal(edit_features(h, f, decoder, torch.zeros(1, 1, 9, dtype=torch.float64)), h)
    push = draw(seed + 5, 2, 1, 9)
    edited = torch.relu(f + push)
    error = h - decode(f, decoder, centre)
    assert torch.allclose(edit_features(h, f, decoder, push), decode(edited, decoder, centre) + error)


def test_feature_vector_is_the_weighted_sum_of_decoder_rows() -> None:
    decoder = torch.arange(12.0).reshape(4, 3)
    vector = feature_vector(decoder, torch.tensor([1, 3]), torch.tensor([2.0, -1.0]))
    assert torch.equal(vector, 2 * decoder[1] - decoder[3])


@given(st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=60)
def test_trajectory_reads_a_line_at_the_fraction(stored: int, steps: int) -> None:
    line = torch.arange(stored, dtype=torch.float64)[:, None]
    for step in range(steps):
        expected = min(step * stored / steps, stored - 1)
        assert at_step(line, step, steps).item() == pytest.approx(expected)


def test_trajectory_is_exact_at_its_own_length() -> None:
    values = draw(0, 7, 3)
    assert all(torch.equal(at_step(values, step, 7), values[step]) for step in range(7))


def test_shift_of_equal_prompts_is_nothing() -> None:
    base, text = draw(0, 4, 3), draw(1, 4, 3)
    assert torch.equal(shift(base, text, text, 3.0), base)
    assert torch.allclose(shift(base, text, base, 1.0), text)


def test_impact_of_the_ends_is_zero_and_one() -> None:
    source, target = np.array([[1.0, 2.0]]), np.array([[4.0, 7.0]])
    patched = np.stack([source, target, (source + target) / 2, 2 * target - source])
    assert impact(patched, source, target) == pytest.approx([0.0, 1.0, 0.5, 2.0])
    assert np.isnan(impact(patched, source, source)).all()


def test_shapes_are_checked_at_run_time() -> None:
    from jaxtyping import TypeCheckError

    with pytest.raises(TypeCheckError):
        renorm(torch.zeros(2, 3), torch.zeros(2, 4))


@given(seeds, strengths)
def test_the_scale_unit_multiplies_every_feature(seed: int, a: float) -> None:
    h, v = draw(seed, 2, 3, 5), draw(seed + 1, 5)
    assert torch.allclose(add_vector(h, v, a, "scale"), h * (1 + a * v))
    assert torch.equal(add_vector(h, v, 0.0, "scale"), h)


@given(seeds)
def test_rectified_removal_leaves_frames_that_point_away(seed: int) -> None:
    h, v = draw(seed, 2, 8, 5), draw(seed + 1, 5)
    along = (h * v).sum(-1)
    new = ablate(h, v, 1.0, rectified=True)
    assert torch.equal(new[along <= 0], h[along <= 0])
    assert torch.allclose((new * v).sum(-1), along.clamp(max=0.0), atol=1e-9)
    mirrored = ablate(h, v, 2.0, rectified=True)
    assert torch.allclose((mirrored * v).sum(-1), -along.abs(), atol=1e-9)
    assert torch.allclose(mirrored.norm(dim=-1), h.norm(dim=-1))


@given(seeds, strengths)
def test_a_low_rank_change_is_one_of_the_weights(seed: int, a: float) -> None:
    x, weight = draw(seed, 2, 3, 6), draw(seed + 1, 5, 6)
    down, up = draw(seed + 2, 2, 6), draw(seed + 3, 5, 2)
    y = x @ weight.T
    assert torch.allclose(low_rank(y, x, down, up, a), x @ (weight + a * up @ down).T)
    assert torch.equal(low_rank(y, x, down, up, 0.0), y)
