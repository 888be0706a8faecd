"""Concepts are averaged in shares of what the prompt does, and a prompt counts once however many concepts it has."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from attrs import evolve
from test_bench_comparisons import names, suite, sweep

from tada_bench.areas import Measured, measured, pooled
from tada_bench.comparisons import comparisons
from tada_bench.overall import ALL, Together, together
from tada_bench.plan import Plan
from tada_bench.scores import Score
from tada_bench.suite import Arm, Suite
from tada_bench.tables.together import rows, said
from tada_bench.verdicts import verdict

ARMS = ("one all", "two all", "pci all")


def concept(
    name: str, prompts: Sequence[str], gains: Sequence[float], scale: float = 1.0, seed: int = 0
) -> list[Score]:
    """Three arms on one concept, each with its gain."""
    return [
        evolve(score, point=evolve(score.point, concept=name))
        for place, (arm, gain) in enumerate(zip(ARMS, gains, strict=False))
        for score in sweep(arm, prompts, gain, seed=10 * seed + place)
    ]


def measure(asked: Suite, *concepts: list[Score]) -> list[Measured]:
    scores = [score for one in concepts for score in one]
    return measured(asked, Plan(tuple(score.point for score in scores)), scores)


def put(*concepts: list[Score], prompts: int = 8) -> Together:
    asked = evolve(suite(prompts, *ARMS), concepts=tuple(one[0].point.concept for one in concepts))
    found = together(asked, measure(asked, *concepts))
    assert found is not None
    return found


def test_the_unit_of_a_concept_is_of_no_matter() -> None:
    tempo, drums = (concept(name, names(8), (2, 1, 4), seed=place) for place, name in enumerate(("tempo", "drums")))
    loud = [evolve(score, alignment=score.alignment * 1000) for score in drums]
    one, other = put(tempo, drums), put(tempo, loud)
    for plain, scaled in zip(one.arms, other.arms, strict=True):
        assert plain.mean.value == pytest.approx(scaled.mean.value)
        assert plain.mean.low == pytest.approx(scaled.mean.low)
    assert [pair.mean.p for pair in one.comparisons] == [pair.mean.p for pair in other.comparisons]
    assert other.scales["drums"] == pytest.approx(1000 * one.scales["drums"])


def test_what_prompts_contribute_comes_to_the_average() -> None:
    """Whether concepts share all prompts, some or none, and however many each has."""
    tempo = concept("tempo", names(8), (2, 1, 4))
    for prompts in (names(8), names(5), [*names(3), "another tune"], ["other tune", "another tune"]):
        parts = (
            measure(suite(8, *ARMS), tempo)[0],
            measure(evolve(suite(8, *ARMS), concepts=("drums",)), concept("drums", prompts, (3, 1, 4), seed=1))[0],
        )
        found = pooled([(part.areas("one all"), scale) for part, scale in zip(parts, (2.0, 50.0), strict=True)])
        assert set(found.prompts) == {*names(8), *prompts}
        assert found.shares.mean(0) == pytest.approx(found.values)
        assert found.values == pytest.approx(
            (parts[0].areas("one all").values / 2 + parts[1].areas("one all").values / 50) / 2
        )


def test_shares_are_those_of_the_prompt_and_it_has_all_of_itself() -> None:
    found = put(concept("tempo", names(8), (2, 1, 4)), concept("drums", names(8), (4, 0, 4), seed=1))
    one, two, pci = found.arms
    assert (one.mean.value, two.mean.value, pci.mean.value) == pytest.approx((0.75, 0.125, 1.0), abs=0.01)
    assert one.mean.low is not None and one.mean.high is not None and one.mean.low < 0.75 < one.mean.high
    assert (pci.ceiling, one.ceiling, one.concepts) == (True, False, ("tempo", "drums"))
    first = found.comparisons[0]
    assert (first.concept, first.first, first.second, first.prompts, first.asked) == (ALL, "one all", "two all", 8, 8)
    assert first.mean.value == pytest.approx(0.75 - 0.125, abs=0.01)
    assert first.mean.low is not None and first.mean.high is not None
    assert first.mean.low < first.mean.value < first.mean.high
    assert (first.mean.p, verdict(first)) == (2 / 256, "one all is better than two all")
    assert [(pair.first, pair.second, pair.ceiling) for pair in found.comparisons[1:]] == [
        ("one all", "pci all", True),
        ("two all", "pci all", True),
    ]


def test_the_best_that_prompts_do_is_the_scale() -> None:
    asked = evolve(suite(8, *ARMS), concepts=("tempo", "drums"), arms=(*suite(8, *ARMS).arms, Arm("pci", (0,))))
    sweeps = [concept(name, names(8), (2, 1, 4), seed=place) for place, name in enumerate(asked.concepts)]
    less = [
        evolve(score, point=evolve(score.point, arm="pci 0"), alignment=score.alignment / 4)
        for one in sweeps
        for score in one
        if score.point.arm == "pci all"
    ]
    found = together(asked, measure(asked, *sweeps, less))
    assert found is not None
    assert [arm.arm for arm in found.arms if arm.ceiling] == ["pci all", "pci 0"]
    assert [arm.mean.value for arm in found.arms[2:]] == pytest.approx([1, 1 / 4], abs=0.01)


def test_the_same_prompts_on_a_concept_twice_are_no_more_evidence() -> None:
    tempo = concept("tempo", names(6), (1.004, 1.0, 4))
    again = [evolve(score, point=evolve(score.point, concept="again")) for score in tempo]
    once, twice = comparisons(suite(6, *ARMS), measure(suite(6, *ARMS), tempo))[0], put(tempo, again, prompts=6)
    pair, scale = twice.comparisons[0], twice.scales["tempo"]
    assert (pair.prompts, pair.mean.p) == (6, once.mean.p)
    for name in ("value", "low", "high"):
        assert getattr(pair.mean, name) == pytest.approx(getattr(once.mean, name) / scale)
    other = [evolve(score, point=evolve(score.point, prompt=f"other {score.point.prompt}")) for score in again]
    apart = put(tempo, other, prompts=6).comparisons[0]
    assert apart.prompts == 12
    assert apart.mean.value == pytest.approx(pair.mean.value)
    assert apart.mean.p is not None and pair.mean.p is not None and apart.mean.p <= pair.mean.p


def test_a_concept_that_the_prompt_does_not_move_is_left_out_and_named() -> None:
    kept = [concept(name, names(8), (2, 1, 4), seed=place) for place, name in enumerate(("tempo", "drums"))]
    found = put(*kept, concept("mode", names(8), (2, 1, 0)))
    assert (tuple(found.scales), found.omitted) == (("tempo", "drums"), ("mode",))
    assert "tempo, drums: 1 is what" in said(found, "pci") and "Left out: mode, where pci has" in said(found, "pci")
    assert "Left out" not in said(put(*kept), "pci")
    asked = suite(8, *ARMS)
    assert together(asked, measure(asked, kept[0])) is None
    without = [[score for score in one if not score.point.arm.startswith("pci")] for one in kept]
    assert together(evolve(asked, concepts=("tempo", "drums")), measure(asked, *without)) is None


def test_an_arm_that_lacks_a_concept_is_not_called_the_best() -> None:
    tempo, drums = concept("tempo", names(8), (9, 1, 4)), concept("drums", names(8), (9, 1, 4), seed=1)
    found = put(tempo, [score for score in drums if score.point.arm != "one all"])
    one, two, _ = found.arms
    assert (one.concepts, two.concepts) == (("tempo",), ("tempo", "drums"))
    table = rows(found)
    assert [row[-1].text for row in table] == ["1 of 2", "2 of 2", "2 of 2"]
    assert not any(cell.best for row in table for cell in row), "only one arm is left, so none is the best"
    # Compared on what both have.
    assert found.comparisons[0].mean.value == pytest.approx((one.mean.value or 0) - 0.25, abs=0.01)
    whole = rows(put(tempo, drums))
    assert [cell.best for cell in whole[0]] == [False, True, True, True, False]
    assert not any(cell.best for row in whole[1:] for cell in row)
