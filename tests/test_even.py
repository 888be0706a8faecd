"""Strengths that are evenly spaced in what they change: the root finder, calibration and the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny
from attrs import evolve
from bench_fakes import METRICS, SUITE, Probe, bench
from test_methods import TEMPO, Distance

from tada_bench.page.build import report
from tada_bench.plan import Plan
from tada_bench.results import read_points, results
from tada_bench.suite import Arm, Suite
from tada_caa.caa import CAA
from tada_core import Even, calibrate
from tada_core.audio import Audio
from tada_core.errors import SpecError
from tada_core.even import inverse, place, unmet
from tada_pci.pci import PCI

TOP = 3.5
CURVES: dict[str, Callable[[float], float]] = {
    "line": lambda a: 3 * a,
    "root": lambda a: 4 * (1 - np.exp(-3 * np.sqrt(a))),
    "early": lambda a: 6 * np.log1p(50 * a) / np.log1p(50),
    "late": lambda a: 4 * a**3 / (a**3 + 0.5),
    "back and forth": lambda a: 4 * a / (a + 0.2) * (1 - 0.2 * np.sin(6 * a)),
}


class Counted:
    """A curve that counts how often it is asked."""

    def __init__(self, curve: Callable[[float], float]) -> None:
        self.curve, self.asked = curve, list[float]()

    def __call__(self, strengths: Sequence[float]) -> list[float]:
        self.asked += strengths
        return [float(self.curve(a)) for a in strengths]


def gaps(found: dict[float, float], top: float, points: int) -> float:
    """The widest gap of change up to `top`, in steps."""
    step = top / points
    below = sorted(change for change in found.values() if change <= top + 0.25 * step)
    return max(high - low for low, high in pairwise(below)) / step


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("points", [7, 15])
def test_changes_are_even_and_nothing_is_tried_twice(name: str, points: int) -> None:
    curve = Counted(CURVES[name])
    found = place(curve, Even(points), TOP, 1.5)
    assert gaps(found, TOP, points) <= 1.25 + 1e-9
    assert max(found.values()) >= TOP
    assert len(curve.asked) == len(set(curve.asked)) == len(found) - 1 <= points + 5
    assert found == {a: CURVES[name](a) if a else 0 for a in found}


def test_strengths_spread_evenly_leave_gaps_that_these_do_not() -> None:
    curve = CURVES["early"]
    grid = {a: curve(a) for a in np.linspace(0, 0.2, 16)}
    assert gaps(grid, TOP, 15) > 2.5
    assert gaps(place(Counted(curve), Even(15), TOP, 0.2), TOP, 15) <= 1.25 + 1e-9


def test_a_method_that_never_gets_there_is_doubled_three_times_and_spread_as_far_as_it_gets() -> None:
    curve = Counted(lambda a: 2 * (1 - np.exp(-a)))
    found = place(curve, Even(7), TOP, 1.0)
    assert curve.asked[:4] == [1, 2, 4, 8]
    assert gaps(found, 2.0, 4) <= 1.25 * 7 / TOP * 2 / 4 + 1e-9
    early = Counted(lambda a: 2 * (1 - np.exp(-5 * a)))
    place(early, Even(7), TOP, 1.0)
    assert max(early.asked) == 2


def test_a_strength_that_a_method_does_not_have_is_not_tried() -> None:
    curve = Counted(lambda a: a)
    found = place(curve, Even(4), TOP, 1.0, lambda a: a <= 1)
    assert max(curve.asked) == 1 == max(found)
    assert place(Counted(lambda a: a), Even(4), TOP, 2.0, lambda a: a <= 1) == {0.0: 0.0}


def test_where_the_change_jumps_it_gives_up_and_keeps_what_it_has() -> None:
    curve = Counted(lambda a: 4.0 * (a > 0.3))
    found = place(curve, Even(10, extra=20), TOP, 1.0)
    assert len(unmet(found, TOP / 10, Even(10))) > 0
    assert len(curve.asked) < 31


def test_what_is_unmet_lies_in_a_wide_gap_and_near_no_end() -> None:
    even = Even(4, tolerance=0.25)
    assert unmet({0: 0.0, 1: 4.0}, 1.0, even) == [1, 2, 3]
    assert unmet({0: 0.0, 1: 1.2, 2: 2.4, 3: 4.0}, 1.0, even) == [3]
    assert unmet({0: 0.0, 1: 0.9, 2: 2.1, 3: 3.1, 4: 4.2}, 1.0, even) == []
    assert unmet({0: 0.0, 1: 2.0}, 1.0, even) == [1]


def test_the_inverse_goes_through_the_points_that_rise() -> None:
    guess = inverse([(0, 0.0), (1, 2.0), (2, 1.5), (3, 4.0)])
    assert [float(guess(x)) for x in (0.0, 2.0, 4.0)] == [0, 1, 3]
    assert 1 < guess(3.0) < 3


@pytest.mark.parametrize("wrong", [{"points": 0}, {"tolerance": 0.0}, {"extra": -1}])
def test_spacing_that_means_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Even(**wrong)  # type: ignore[arg-type]


def test_calibration_finds_even_doses(model: tiny.Tiny) -> None:
    artifact = CAA(pairs=1).fit(model, TEMPO)
    dosed = calibrate(model, artifact, Distance(), strengths=Even(4), prompts=2)
    assert dosed.dose is not None
    for sign in (1, -1):
        side = {a: sign * dose for a, dose in dosed.dose.points if sign * a >= 0}
        reached = min(1.0, max(side.values()))
        assert reached > 0.25
        assert gaps(side, reached, max(1, round(4 * reached))) <= 1.6
    again = calibrate(
        model, artifact, Distance(), strengths=sorted({abs(a) for a, _ in dosed.dose.points} - {0}), prompts=2
    )
    assert again.dose is not None
    np.testing.assert_allclose(
        [dict(again.dose.points)[a] for a, _ in dosed.dose.points], [d for _, d in dosed.dose.points], atol=1e-4
    )


def test_prompt_switching_is_calibrated_within_its_trajectory(model: tiny.Tiny) -> None:
    dosed = calibrate(model, PCI().fit(model, TEMPO), Distance(), strengths=Even(3), prompts=1)
    assert dosed.dose is not None
    assert dosed.dose.points[-1][0] == 1 and dosed.dose.points[-1][1] == pytest.approx(1.0, abs=1e-3)


PLACED: Suite = evolve(
    SUITE, arms=(Arm("shift", "all", Even(3)), Arm("shift", "local", (-1, 1)), Arm("pci", "all", (-0.5, -0.2, 0.5)))
)


def curves(folder: Path, suite: Suite) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """(strength, mean change) of every arm."""
    store, _ = bench(folder, suite)
    plan = Plan.load(folder / "plan.json")
    found = results(suite, plan, read_points(store, plan, "probes", "spectral"))
    return {(one.concept, one.arm): [(p.strength, p.change.value or 0.0) for p in one.points] for one in found}


def test_a_benchmark_places_strengths_up_to_the_cutoff_of_either_side(tmp_path: Path) -> None:
    found = curves(tmp_path, PLACED)
    for concept in PLACED.concepts:
        tops = {sign: max(x for a, x in found[concept, "pci all"] if sign * a > 0) for sign in (1, -1)}
        for sign, top in tops.items():
            side = {a: x for a, x in found[concept, "shift all"] if sign * a >= 0}
            assert max(side.values()) >= top
            assert gaps({abs(a): x for a, x in side.items()}, top, 3) <= 1.25 + 1e-6
        assert [a for a, _ in found[concept, "shift local"]] == [-1, 0, 1]


class Lopsided(Probe):
    """Downwards a clip changes twice as much."""

    def score(self, clips: Sequence[Audio], against: Any = None) -> Any:
        lifts = np.array(
            [float((one.samples - other.samples).mean()) for one, other in zip(clips, against, strict=True)]
        )
        return np.where(lifts < 0, -2 * lifts, lifts)


def test_either_side_is_measured_by_its_own_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(METRICS, "lopsided", Lopsided("lopsided", "preservation", "distance"))
    suite = evolve(PLACED, preservation="lopsided", concepts=("tempo",))
    bench(tmp_path, suite)
    plan = Plan.load(tmp_path / "plan.json")
    scale = plan.dose("tempo", "shift all")
    assert scale is not None
    doses = dict(scale.points)
    assert min(doses.values()) <= -1 and max(doses.values()) >= 1
    # The cut-offs differ in the same way, so that as much is asked of either side.
    assert sorted(-a for a in doses if a < 0) == pytest.approx(sorted(a for a in doses if a > 0), rel=0.05)
    for strength, dose in doses.items():
        # PCI's .5, and shifting by its strength, lift on each of three layers.
        assert dose == pytest.approx(strength / 0.5, rel=0.05, abs=0.01)


def test_the_cutoff_is_the_smallest_of_what_the_ceilings_reach(tmp_path: Path) -> None:
    suite = evolve(PLACED, arms=(*PLACED.arms, Arm("pci", "local", (-0.5, 0.5))), concepts=("tempo",))
    bench(tmp_path, suite)
    scale = Plan.load(tmp_path / "plan.json").dose("tempo", "shift all")
    assert scale is not None
    assert max(dose for _, dose in scale.points) >= 1
    for strength, dose in scale.points:
        # PCI's .5 on one layer; shifting lifts by its strength on each of three.
        assert dose == pytest.approx(3 * strength / 0.5, rel=0.05, abs=0.01)


def test_placing_goes_on_where_it_was_stopped_and_makes_nothing_twice(tmp_path: Path) -> None:
    _, first = bench(tmp_path / "whole", PLACED)
    store, again = bench(tmp_path / "whole", PLACED)
    assert first.made and not again.made and not again.fits
    count = iter(range(100))
    stopped = {"on_batch": lambda: next(count) == 20 and (_ for _ in ()).throw(KeyboardInterrupt)}
    with pytest.raises(KeyboardInterrupt):
        bench(tmp_path / "part", PLACED, **stopped)
    bench(tmp_path / "part", PLACED)
    files = [
        {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (tmp_path / "whole", tmp_path / "part")
    ]
    assert files[0] == files[1]
    assert not store.failures()


def test_the_budget_holds_what_placing_makes(tmp_path: Path) -> None:
    lines = list[str]()
    from bench_fakes import FakeTools

    from tada_bench.run import run_suite

    tools = FakeTools()
    run_suite(PLACED, tmp_path, tools=tools, announce=lines.append)
    most = int(lines[0].split(" to fit, ")[1].split(" to compare")[0])
    assert len(tools.made) <= most
    assert most == 2 * 3 * 2 * (2 * (3 + 5) + 2 + 3 + 1)


def test_the_dose_scale_comes_out_of_the_placement(tmp_path: Path) -> None:
    found = curves(tmp_path, PLACED)
    scale = Plan.load(tmp_path / "plan.json").dose("tempo", "shift all")
    assert scale is not None and scale.metric == "spectral"
    top = max(x for a, x in found["tempo", "pci all"] if a > 0)
    change = dict(found["tempo", "shift all"])
    for strength, dose in scale.points:
        if strength > 0:
            assert dose * top == pytest.approx(change[strength], rel=1e-6)
    assert Plan.load(tmp_path / "plan.json").dose("tempo", "pci all") is None


def test_a_failing_placement_is_listed_and_the_others_go_on(tmp_path: Path) -> None:
    store, _ = bench(tmp_path, PLACED, broken=lambda row: any(item.strength > 0.9 for item in row.interventions))
    assert any("placing strengths of shift all" in one["label"] for one in store.failures())
    assert {p.arm for p in Plan.load(tmp_path / "plan.json").points} == {"shift local", "pci all"}
    assert report(tmp_path).page.exists()


def test_what_cannot_be_placed_is_refused_in_words() -> None:
    with pytest.raises(SpecError, match="leave out 'raw'"):
        Arm("shift", "all", Even(3), unit="raw")
    with pytest.raises(SpecError, match="arm of 'pci' strengths of its own"):
        evolve(SUITE, arms=(Arm("shift", "all", Even(3)), Arm("pci", "all", Even(3))))


def test_a_suite_with_placed_strengths_survives_json(tmp_path: Path) -> None:
    assert Suite.load(PLACED.save(tmp_path / "suite.json")) == PLACED
    every = SUITE.evenly(4)
    assert [arm.strengths for arm in every.arms[:2]] == [Even(4), Even(4)]
    assert every.arms[2] == SUITE.arms[2]
