"""The protocol's equations against numbers worked out by hand, and their invariants."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tada_bench.protocol.area import area, boundary
from tada_bench.protocol.bootstrap import estimates
from tada_bench.protocol.curve import Curve, curve
from tada_bench.protocol.cutoff import cutoff, reached, truncate
from tada_bench.protocol.quality import quality
from tada_bench.protocol.smoothness import smoothness
from tada_core.errors import SpecError

LINE = Curve([0, 1, 2, 3], [0.0, 1.0, 2.0, 4.0], [0.0, 0.5, 1.0, 2.0])

lengths = st.integers(2, 7)
numbers = st.floats(-3, 3, allow_nan=False)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    count = draw(lengths)
    change = [0.0, *draw(st.lists(st.floats(0, 3), min_size=count - 1, max_size=count - 1))]
    gain = [0.0, *draw(st.lists(numbers, min_size=count - 1, max_size=count - 1))]
    return Curve(list(range(count)), change, gain)


def test_curve_takes_means_and_puts_strength_zero_in_both_directions() -> None:
    strengths = [-2, -1, 0, 1]
    alignment = [[0.0, 1.0, 2.0, 5.0], [2.0, 3.0, 4.0, 5.0]]
    preservation = [[4.0, 2.0, 0.0, 1.0], [6.0, 4.0, 0.0, 3.0]]
    up = curve(strengths, alignment, preservation, 1)
    down = curve(strengths, alignment, preservation, -1)
    np.testing.assert_array_equal([up.strengths, up.change, up.gain], [[0, 1], [0, 2], [0, 2]])
    np.testing.assert_array_equal([down.strengths, down.change, down.gain], [[0, 1, 2], [0, 3, 5], [0, 1, 2]])


def test_curve_without_strength_zero_is_refused() -> None:
    with pytest.raises(SpecError, match="strength 0"):
        curve([1, 2], [[1, 2]], [[1, 2]], 1)


def test_cutoff_is_the_smallest_of_the_largest_changes() -> None:
    assert cutoff([LINE, Curve([0, 1], [0.0, 3.0], [0, 0])]) == 3.0
    assert cutoff([]) is None


def test_reached_within_rounding_only() -> None:
    assert reached(LINE, 4.0)
    assert reached(LINE, 4.0 + 1e-10)
    assert not reached(LINE, 4.001)
    assert reached(LINE, None)


def test_area_of_a_straight_line_with_the_point_at_the_cutoff() -> None:
    # d = x / 2 up to x = 3: a triangle of base 3 and height 1.5.
    assert boundary(LINE, 3.0) == pytest.approx(1.5)
    assert area(LINE, 3.0) == pytest.approx(2.25)


def test_area_v1_has_no_point_at_the_cutoff() -> None:
    assert area(LINE, 3.0, "v1") == pytest.approx(1.0)


def test_area_ends_where_a_curve_ends_below_the_cutoff() -> None:
    assert boundary(LINE, 9.0) is None
    assert area(LINE, 9.0) == pytest.approx(4.0)


def test_area_when_the_first_strength_is_beyond_the_cutoff() -> None:
    assert area(Curve([0, 1], [0.0, 4.0], [0.0, 2.0]), 1.0) == pytest.approx(0.25)


def test_area_is_given_back_where_the_change_goes_back_and_negative_gain_counts() -> None:
    back = Curve([0, 1, 2], [0.0, 2.0, 1.0], [0.0, 1.0, 1.0])
    assert area(back, None) == pytest.approx(1.0 - 1.0)
    assert area(back, None, "v1") == pytest.approx(0.5 + 1.0)
    assert area(Curve([0, 1], [0.0, 1.0], [0.0, -1.0]), None) == pytest.approx(-0.5)


@given(curves(), st.floats(0.05, 3), st.floats(0.1, 10))
def test_area_scales_with_gain_and_with_change(one: Curve, limit: float, factor: float) -> None:
    assume(not np.isclose(one.change, limit, atol=1e-6).any())
    taller = Curve(one.strengths, one.change, one.gain * factor)
    assert area(taller, limit) == pytest.approx(factor * area(one, limit), abs=1e-6)
    wider = Curve(one.strengths, one.change * factor, one.gain)
    assert area(wider, limit * factor) == pytest.approx(factor * area(one, limit), abs=1e-6)


@given(curves(), st.floats(0.05, 3))
def test_truncated_changes_never_exceed_the_cutoff(one: Curve, limit: float) -> None:
    assert truncate(one, limit).change.max() <= limit + 1e-9


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.integers(0, 3))
def test_area_does_not_change_when_a_point_on_the_curve_is_added(steps: list[float], place: int) -> None:
    change = np.concatenate([[0], np.cumsum(steps)])
    gain = np.sin(change)
    at = min(place, len(steps) - 1)
    more = np.insert(change, at + 1, change[at : at + 2].mean())
    middle = np.insert(gain, at + 1, gain[at : at + 2].mean())
    limit = float(change[-1]) * 0.7
    assume(abs(more - limit).min() > 1e-6)
    before = area(Curve(range(len(change)), change, gain), limit)
    assert area(Curve(range(len(more)), more, middle), limit) == pytest.approx(before)


def test_smoothness_of_a_straight_line_is_zero_and_of_a_step_is_not() -> None:
    assert smoothness(Curve([0, 1, 2], [0, 1, 2], [0, 1, 2]), None) == pytest.approx(0.0)
    # Steps 0 and 1: mean .5, population deviation .5.
    assert smoothness(Curve([0, 1, 2], [0, 1, 2], [0, 0, 3]), None) == pytest.approx(0.5)


def test_smoothness_is_undefined_without_gain_or_without_a_second_point() -> None:
    assert smoothness(Curve([0, 1], [0, 1], [0, -1]), None) is None
    assert smoothness(Curve([0, 1], [0, 5], [0, 1]), 1.0) is None


@given(curves(), st.floats(0.1, 10))
def test_smoothness_does_not_depend_on_the_size_of_the_gain(one: Curve, factor: float) -> None:
    assume(one.gain.max() > 1e-3)
    taller = Curve(one.strengths, one.change, one.gain * factor)
    assert smoothness(taller, None) == pytest.approx(smoothness(one, None))


def heard(change: list[float], scores: list[float], limit: float) -> float:
    """The mean over 15 changes, one at a time, each on the straight line between its two neighbours."""
    points = sorted(zip(change, scores, strict=True))
    found = []
    for step in range(15):
        x = limit * step / 14
        for (x0, q0), (x1, q1) in pairwise(points):
            if x0 <= x <= x1:
                found.append(q0 + (q1 - q0) * (x - x0) / (x1 - x0))
                break
    return float(np.mean(found))


CHANGES = st.lists(st.integers(1, 300), min_size=1, max_size=6, unique=True).map(
    lambda xs: [0.0, *(x / 100 for x in xs)]
)


@given(CHANGES, st.data(), st.floats(0.1, 4))
def test_quality_is_the_mean_on_the_grid_whatever_the_order_of_points(
    change: list[float], data: st.DataObject, limit: float
) -> None:
    scores = data.draw(st.lists(st.floats(1, 10), min_size=len(change), max_size=len(change)))
    assume(min(abs(limit * step / 14 - x) for step in range(15) for x in change[1:]) > 1e-6)
    order = data.draw(st.permutations(range(len(change))))
    found = quality([change[i] for i in order], [scores[i] for i in order], limit)
    assert found == quality(change, scores, limit)
    assert found == pytest.approx(heard(change, scores, limit))
    grid = np.linspace(0, limit, 15)
    by_change = np.argsort(change)
    inside = grid[grid <= max(change)]
    assert found == pytest.approx(np.interp(inside, np.array(change)[by_change], np.array(scores)[by_change]).mean())


def test_quality_is_not_extrapolated() -> None:
    # Changes 0, .5, ... 7: of these 0, .5 and 1 are measured; carried on to 7 the mean would be much less.
    assert quality([0.0, 1.0], [7.0, 5.0], 7.0) == pytest.approx(6.0)
    # Without a cut-off to the end; a point beyond the cut-off only bends the line towards it.
    assert quality([0.0, 1.0, 3.0], [7.0, 5.0, 5.0], None) == pytest.approx(
        np.interp(np.linspace(0, 3, 15), [0, 1, 3], [7, 5, 5]).mean()
    )
    assert quality([0.0, 2.0], [7.0, 5.0], 1.0) == pytest.approx(6.5)


def test_quality_does_not_depend_on_how_strengths_are_spaced() -> None:
    assert quality([0.0, 1.0, 1.1, 1.2, 1.3, 2.0], [7.0, 6.0, 5.9, 5.8, 5.7, 5.0], 2.0) == pytest.approx(6.0)


def test_quality_is_undefined_without_points() -> None:
    assert quality([], [], 1.0) is None
    assert quality([2.0, 3.0], [7.0, 6.0], 1.0) is None
    assert quality([0.0], [7.0], 1.0) == 7.0


def test_intervals_hold_the_mean_and_narrow_with_more_prompts() -> None:
    draw = np.random.default_rng(0)

    def width(prompts: int) -> float:
        data = draw.normal(1.0, 1.0, (prompts, 2))
        (found,) = estimates(lambda p, s: np.array([data[p, s].mean()]), prompts, 2, 400)
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.value < found.high
        return found.high - found.low

    assert width(100) < 0.7 * width(12)


def test_intervals_repeat_exactly_and_are_absent_with_one_prompt_or_an_undefined_number() -> None:
    data = np.arange(6.0).reshape(3, 2)

    def numbers(p: np.ndarray, s: np.ndarray) -> np.ndarray:
        return np.array([data[p, s].mean(), np.nan])

    first, undefined = estimates(numbers, 3, 2, 100)
    assert estimates(numbers, 3, 2, 100)[0] == first
    assert (undefined.value, undefined.low, undefined.high) == (None, None, None)
    assert estimates(numbers, 1, 2, 100)[0].low is None
