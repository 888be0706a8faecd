"""Paired tests of areas: numbers worked out by hand, invariants, and how often a true null is rejected."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tada_bench.protocol.area import area
from tada_bench.protocol.curve import Curve
from tada_bench.protocol.paired import DRAWS, EXACT, chances, contributions, holm, least

numbers = st.floats(-5, 5)


def of_means(data: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda prompts: data[prompts].mean(0, keepdims=True)


def arm(change: np.ndarray, gain: np.ndarray, limit: float) -> Callable[[np.ndarray], np.ndarray]:
    """The area of the mean curve of [prompts, points]."""
    strengths = range(change.shape[1])
    return lambda prompts: np.array([area(Curve(strengths, change[prompts].mean(0), gain[prompts].mean(0)), limit)])


@given(st.lists(numbers, min_size=1, max_size=8))
def test_contributions_to_a_mean_are_the_values_themselves(values: list[float]) -> None:
    found = contributions(of_means(np.array(values)), len(values))
    np.testing.assert_allclose(found[:, 0], values, atol=1e-9)


def test_contributions_to_an_area_have_the_area_as_their_mean_even_at_the_cutoff() -> None:
    """Every curve ends at the cut-off on average, where area is lost to the left and none is won to the right."""
    draw = np.random.default_rng(0)
    change = np.stack([np.zeros(9), draw.uniform(0.2, 1, 9), draw.uniform(1, 3, 9)], 1)
    gain = np.stack([np.zeros(9), draw.normal(1, 1, 9), draw.normal(2, 1, 9)], 1)
    whole = arm(change, gain, change.mean(0)[-1])
    found = contributions(whole, 9)
    assert found.shape == (9, 1)
    assert found.mean() == pytest.approx(whole(np.arange(9))[0])


def test_identical_arms_do_not_differ() -> None:
    assert chances(np.zeros((7, 2))).tolist() == [1.0, 1.0]
    assert chances(np.zeros((30, 1))).tolist() == [1.0]


@pytest.mark.parametrize("prompts", [1, 2, 4, EXACT, EXACT + 1, 40])
def test_an_advantage_on_every_prompt_has_the_smallest_p(prompts: int) -> None:
    found = float(chances(np.full((prompts, 1), 0.3))[0])
    assert found == pytest.approx(least(prompts), rel=1e-9 if prompts <= EXACT else 3)
    assert least(prompts) == (2 / 2**prompts if prompts <= EXACT else 1 / (DRAWS + 1))


def test_p_by_hand() -> None:
    # Sums of 1, 2 and -.5 with every sign: 2.5 is reached by 2.5, 3.5 and their negatives, of 8.
    assert chances(np.array([[1.0], [2.0], [-0.5]])).tolist() == [4 / 8]
    assert least(4) == 0.125


@given(st.lists(numbers, min_size=1, max_size=7))
def test_the_other_way_round_p_is_the_same(values: list[float]) -> None:
    data = np.array(values)[:, None]
    assert chances(-data) == chances(data)
    assert chances(3 * data) == chances(data)


def test_what_is_undefined_has_no_p() -> None:
    data = np.array([[1.0, np.nan], [2.0, 1.0]])
    assert np.isnan(chances(data)).tolist() == [False, True]


def test_random_signs_come_close_to_all_of_them() -> None:
    data = np.random.default_rng(1).normal(0.4, 1, (EXACT, 1))
    # A fourteenth prompt that is the same in both arms takes part in no sum.
    assert chances(np.append(data, [[0.0]], 0)) == pytest.approx(chances(data), abs=0.02)
    assert 0.01 < chances(data)[0] < 0.99


def test_holm_by_hand() -> None:
    # In order .01 x 4, .02 x 3, .03 x 2 (not below .06), .04 x 1 (not below .06).
    assert holm(np.array([0.04, 0.01, 0.03, 0.02])) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm(np.array([0.6, 0.5])).tolist() == [1.0, 1.0]
    assert holm(np.array([0.02])).tolist() == [0.02]
    assert holm(np.array([])).tolist() == []


def test_holm_does_not_count_what_is_undefined() -> None:
    found = holm(np.array([np.nan, 0.01, 0.02]))
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([0.02, 0.02])


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_corrects_upwards_and_keeps_the_order(values: list[float]) -> None:
    before = np.array(values)
    after = holm(before)
    assert (after >= before).all() and (after <= 1).all()
    assert (np.diff(after[before.argsort(kind="stable")]) >= 0).all()


def trial(draw: np.random.Generator, reach: float, gain: float) -> float:
    """p of two arms with other strengths on the same 12 prompts; the first gains `gain` times as much."""
    prompts, taste, size = 12, draw.normal(1, 0.4, (12, 1)), np.exp(draw.normal(0, 0.3, (12, 1)))
    shares = []
    for points, factor in ((6, gain), (6, 1.0)):
        part = np.linspace(0, 1, points)
        change = reach * size * np.exp(draw.normal(0, 0.2, (prompts, 1))) * part
        gains = factor * taste * (1 - np.exp(-1.5 * change)) + 0.3 * part * draw.normal(size=(prompts, points))
        shares.append(contributions(arm(change, gains, 1.05), prompts))
    return float(chances(shares[0] - shares[1])[0])


@pytest.mark.parametrize("reach", [0.8, 1.0, 1.6])
def test_equal_arms_are_seldom_told_apart_wherever_curves_end(reach: float) -> None:
    """Before the cut-off, at it, beyond it. Of 200 trials at p .05 10 reject on average; 22 or more once in 2000."""
    draw = np.random.default_rng(5)
    assert sum(trial(draw, reach, 1.0) <= 0.05 for _ in range(200)) < 22


def test_a_better_arm_is_told_apart() -> None:
    draw = np.random.default_rng(5)
    assert sum(trial(draw, 1.3, 2.0) <= 0.05 for _ in range(20)) >= 18
