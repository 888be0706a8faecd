"""Every pair of arms on the prompts both have: differences, families, and what is said of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from attrs import evolve

from tada_bench.areas import measured
from tada_bench.comparisons import NAMES, Comparison, comparisons
from tada_bench.plan import Plan, Point
from tada_bench.protocol.area import area
from tada_bench.results import Score, gather, results
from tada_bench.suite import Arm, Suite
from tada_bench.verdicts import HEAD, real, rows, summaries, verdict

STRENGTHS = {"one all": (-1.0, 0.0, 1.0), "two all": (-2.0, -1.0, 0.0, 1.0, 2.0), "pci all": (-1.0, 0.0, 1.0)}


def suite(prompts: int, *arms: str) -> Suite:
    return Suite(
        "small",
        "fake",
        ("tempo",),
        tuple(Arm(name.split()[0], strengths=STRENGTHS[name]) for name in arms),
        prompts=prompts,
        localization=None,
        resamples=200,
    )


def sweep(arm: str, prompts: Sequence[str], gain: float, reach: float = 2.0, seed: int = 0) -> list[Score]:
    """Scores that gain `gain` at the end, with a little noise, for a change of `reach` there."""
    draw, end = np.random.default_rng(seed), max(STRENGTHS[arm])
    return [
        Score(
            Point("tempo", arm, prompt, 0, strength, f"{arm} {prompt} {strength}"),
            "bpm",
            gain * strength / end + 0.01 * draw.normal() * (strength != 0),
            reach * abs(strength) / end,
        )
        for prompt in prompts
        for strength in STRENGTHS[arm]
    ]


def names(count: int) -> list[str]:
    return [f"tune {place}" for place in range(count)]


def compare(asked: Suite, *sweeps: list[Score]) -> list[Comparison]:
    scores = [score for one in sweeps for score in one]
    return comparisons(asked, measured(asked, Plan(tuple(score.point for score in scores)), scores))


def test_a_difference_is_that_of_the_areas_and_its_interval_holds_it() -> None:
    asked = suite(8, "one all", "two all", "pci all")
    sweeps = [
        sweep("one all", names(8), 2.0, seed=1),
        sweep("two all", names(8), 1.0, 3.0, seed=2),
        sweep("pci all", names(8), 3.0, seed=3),
    ]
    one, *ceiling = compare(asked, *sweeps)
    assert (one.first, one.second, one.ceiling, one.prompts, one.asked) == ("one all", "two all", False, 8, 8)
    assert [(pair.first, pair.second, pair.ceiling) for pair in ceiling] == [
        ("one all", "pci all", True),
        ("two all", "pci all", True),
    ]
    for sign, name in ((1, "positive"), (-1, "negative")):
        areas = []
        for scores, arm in zip(sweeps, ("one all", "two all"), strict=False):
            gathered = gather(scores, STRENGTHS[arm], (0,))
            assert gathered is not None
            curve = gathered.curve(sign)
            assert curve is not None
            areas.append(area(curve, 2.0))
        found = getattr(one, name)
        assert found.value == pytest.approx(areas[0] - areas[1])
        assert found.low < found.value < found.high
        # 8 prompts, every one of them better: 2 of 256 signs, and one pair in the family.
        assert found.p == found.corrected == one.least == 2 / 256
    assert one.mean.value == pytest.approx((one.positive.value + one.negative.value) / 2)  # type: ignore[operator]
    assert verdict(one) == "one all is better than two all"


def test_a_family_is_corrected_together_and_the_ceiling_is_a_family_of_its_own() -> None:
    arms = ("one all", "two all", "pci all")
    found = compare(suite(8, *arms), *(sweep(arm, names(8), place + 1.0) for place, arm in enumerate(arms)))
    assert [one.mean.p for one in found] == [2 / 256] * 3
    assert [one.mean.corrected for one in found] == [2 / 256, 4 / 256, 4 / 256]


def test_the_order_of_arms_only_turns_the_sign() -> None:
    sweeps = [sweep("one all", names(6), 2.0, seed=1), sweep("two all", names(6), 1.0, 3.0, seed=2)]
    (there,) = compare(suite(6, "one all", "two all"), *sweeps)
    (back,) = compare(suite(6, "two all", "one all"), *sweeps)
    for name in NAMES:
        one, other = getattr(there, name), getattr(back, name)
        assert one.value == pytest.approx(-other.value)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
        assert (one.p, one.corrected) == (other.p, other.corrected)
    assert verdict(there) == verdict(back) == "one all is better than two all"
    texts = [[cell.text for cell in rows([one])[0]] for one in (there, back)]
    assert texts[0] == texts[1]
    assert len(texts[0]) == len(HEAD)


def test_equal_arms_cannot_be_told_apart() -> None:
    scores = sweep("one all", names(9), 1.0)
    same = [evolve(score, point=evolve(score.point, arm="pci all")) for score in scores]
    (found,) = compare(suite(9, "one all", "pci all"), scores, same)
    assert [getattr(found, name).value for name in NAMES] == [0, 0, 0]
    assert [getattr(found, name).p for name in NAMES] == [1, 1, 1]
    assert (found.mean.low, found.mean.high) == (0, 0)
    assert verdict(found) == "one all and pci all cannot be told apart"
    assert not any(cell.real for cell in rows([found])[0][1:8])


def test_prompts_that_one_arm_lacks_are_left_out_of_the_pair() -> None:
    whole = [sweep("one all", names(8), 2.0, seed=1), sweep("two all", names(8), 1.0, seed=2)]
    less = [score for score in whole[1] if (score.point.prompt, score.point.strength) != ("tune 3", 2.0)]
    (found,) = compare(suite(8, "one all", "two all"), whole[0], less)
    assert (found.prompts, found.asked, found.least) == (7, 8, 2 / 128)
    (without,) = compare(
        suite(8, "one all", "two all"), *([s for s in one if s.point.prompt != "tune 3"] for one in whole)
    )
    assert found == without
    assert rows([found])[0][-1].text == "7 of 8"
    nothing = [score for score in whole[1] if score.point.prompt == "tune 3"]
    others = [score for score in whole[0] if score.point.prompt != "tune 3"]
    assert compare(suite(8, "one all", "two all"), others, nothing) == []


def test_few_prompts_say_that_they_cannot_distinguish_anything() -> None:
    (found,) = compare(suite(4, "one all", "two all"), sweep("one all", names(4), 9.0), sweep("two all", names(4), 1.0))
    assert summaries([found], "pci") == [
        "tempo: 4 prompts cannot distinguish anything: the smallest possible p is .125"
    ]
    assert verdict(found) == "one all and two all cannot be told apart"
    (single,) = compare(
        suite(1, "one all", "two all"), sweep("one all", names(1), 9.0), sweep("two all", names(1), 1.0)
    )
    assert (single.mean.low, single.mean.high, single.mean.p) == (None, None, 1)
    assert "1 prompt cannot distinguish anything: the smallest possible p is 1" in summaries([single], "pci")[0]


def test_correction_counts_in_what_prompts_can_distinguish() -> None:
    arms = ("one all", "two all", "pci all")
    sweeps = [sweep(arm, names(6), place + 1.0) for place, arm in enumerate(arms)]
    found = compare(suite(6, *arms), *sweeps)
    assert summaries(found, "pci") == [
        "tempo: two all is better than one all",
        "tempo against pci: 6 prompts cannot distinguish anything: the smallest possible p is .0312, "
        "and .0625 after correction for 2 pairs",
    ]


def test_families_of_which_the_same_is_true_share_a_sentence() -> None:
    arms = ("one all", "two all", "pci all")
    found = compare(suite(8, *arms), *(sweep(arm, names(8), place + 1.0) for place, arm in enumerate(arms)))
    other = [evolve(one, concept="drums") for one in found]
    assert summaries([*found, *other], "pci") == [
        "tempo, drums: two all is better than one all",
        "tempo against pci, drums against pci: 2 of 2 differences are real",
    ]
    assert real(found[0].mean)
    unsure = [evolve(one, mean=evolve(one.mean, corrected=0.06)) for one in found[1:]]
    assert summaries(unsure, "pci") == ["tempo against pci: none of 2 differences can be told from chance"]


def test_a_side_without_strengths_is_undefined_and_so_is_the_mean() -> None:
    up = [score for score in sweep("one all", names(8), 1.0) if score.point.strength >= 0]
    asked = suite(8, "one all", "two all")
    (found,) = compare(asked, up, sweep("two all", names(8), 2.0))
    assert found.negative.value is found.negative.p is found.negative.corrected is found.mean.value is None
    assert found.positive.p == 2 / 256
    assert verdict(found) == "one all and two all cannot be compared"
    plan = Plan(tuple(score.point for score in up), about={
        "arms": [{"concept": "tempo", "arm": "one all", "layers": [0], "unit": "norm"}]
    })  # fmt: skip
    (result,) = results(asked, plan, up)
    assert result.positive.value is not None and result.negative.value is result.mean.value is None
    assert result.notes == ("side -: no strengths, so nothing is scored and there is no mean",)
    assert result.support[0] is not None and result.support[1] is None
