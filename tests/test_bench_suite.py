"""Suites: JSON round trip, validation in words, budget, resizing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bench_fakes
import numpy as np
import pytest
from attrs import evolve
from bench_fakes import METRICS, SECONDS, SUITE, FakeTools, Method, Model, ShiftArtifact, bench
from numpy.typing import NDArray

import tada_registry as tada
from tada_bench.arm import REACH
from tada_bench.budget import budget, fitting
from tada_bench.plan import Plan
from tada_bench.reach import reach, steering
from tada_bench.results import read_points, results
from tada_bench.run import check, run_suite
from tada_bench.stages.localise import captions
from tada_bench.suite import Arm, Fitting, Localization, Suite
from tada_bench.timing import Timing, duration, size
from tada_bench.tuned import tuned
from tada_core import Audio, DoseScale, Settings
from tada_core.errors import SpecError, UnknownNameError
from tada_core.localization.pair import Pair, write_pairs


def test_suite_survives_json(tmp_path: Path) -> None:
    suite = evolve(SUITE, arms=(*SUITE.arms, Arm("shift", (0, 2), (1,), "norm", {"pairs": 3})))
    assert Suite.load(suite.save(tmp_path / "suite.json")) == suite


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": 1}, "colour"),
        ({"prompts": 0}, "prompts"),
        ({"seeds": []}, "no seeds given"),
        ({"arms": [{"method": "shift", "layers": "some"}]}, "layers 'some'"),
        ({"arms": [{"method": "shift", "strengths": [0]}]}, "not 0"),
        ({"arms": [{"method": "shift", "speed": 1}]}, "speed"),
        ({"arms": [{"method": "shift"}, {"method": "shift"}]}, "two arms are alike"),
        ({"localization": None}, "no localization"),
        ({"arms": [{"method": "shift", "layers": "rest"}], "localization": None}, "'rest' layers"),
        ({"arms": [], "localization": None}, "nothing to do"),
        ({"arms": [{"method": "shift", "layers": "101%"}]}, "a depth as '50%'"),
    ],
)
def test_a_wrong_suite_is_refused_in_words(tmp_path: Path, change: dict[str, object], words: str) -> None:
    data = json.loads(SUITE.to_json()) | change
    path = tmp_path / "suite.json"
    path.write_text(json.dumps(data))
    with pytest.raises(SpecError, match=words):
        Suite.load(path)


def test_a_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot read the suite"):
        Suite.load(tmp_path / "nothing.json")


def test_strengths_are_sorted_and_hold_zero() -> None:
    assert Arm("shift", strengths=(1, -1, 0.5)).strengths == (-1.0, 0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"concepts": ("temp",)}, "tempo"),
        ({"arms": (Arm("shft"),)}, "shift"),
        ({"alignment": ("prbes",)}, "probes"),
        ({"quality": ("beuty",)}, "beauty"),
    ],
)
def test_an_unknown_name_is_told_with_its_nearest_before_any_work(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    with pytest.raises(UnknownNameError, match=words):
        bench(tmp_path / "store", evolve(SUITE, **change))
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"alignment": ("spectral",)}, "of kind preservation"),
        ({"quality": ("beauty", "spectral")}, "'spectral' is of kind preservation, but the suite uses it for quality"),
        ({"quality": ("noise",)}, "'noise' is better where it is less"),
        ({"prompts": 99}, "99 evaluation prompts"),
        ({"arms": (Arm("shift", unit="miles"),)}, "knows norm, raw"),
    ],
)
def test_what_cannot_work_is_told_before_any_work(change: dict[str, object], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        check(evolve(SUITE, **change), FakeTools())


def test_an_unknown_layer_is_told_before_any_clip(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="layer '7'"):
        bench(tmp_path / "store", evolve(SUITE, arms=(Arm("shift", (7,)),)))


def layers_of(folder: Path) -> dict[str, list[int]]:
    return {arm["arm"]: arm["layers"] for arm in Plan.load(folder / "plan.json").about["arms"]}


def test_rest_is_all_but_the_local_layers_and_a_depth_is_one_layer(tmp_path: Path) -> None:
    arms = tuple(Arm("shift", where) for where in ("all", "local", "rest", "0%", "50%", "100%"))
    bench(tmp_path / "store", evolve(SUITE, concepts=("tempo",), arms=arms))
    assert layers_of(tmp_path / "store") == {
        "shift all": [0, 1, 2],
        "shift local": [1],
        "shift rest": [0, 2],
        "shift 0%": [0],
        "shift 50%": [1],
        "shift 100%": [2],
    }


def test_where_every_layer_is_local_none_is_left_for_the_rest(tmp_path: Path) -> None:
    suite = evolve(SUITE, arms=(Arm("shift", "rest"), Arm("pci")), localization=Localization(pairs=2, top=3))
    store, _ = bench(tmp_path / "store", suite)
    assert {failure["error"].split(":")[0] for failure in store.failures()} == {"SpecError"}
    assert "no layer is left for 'rest'" in store.failures()[0]["error"]


def test_known_layers_are_local_and_nothing_is_localised(tmp_path: Path) -> None:
    suite = evolve(SUITE, localization=Localization(pairs=99, known=(2, 0)))
    _, tools = bench(tmp_path / "store", suite)
    assert tools.localized == 0
    assert layers_of(tmp_path / "store")["shift local"] == [0, 2]
    assert budget(suite, 3, lambda arm, _: FakeTools().get_method(arm.method)).localize == 0


def test_an_arm_leaves_out_concepts_and_has_options_of_its_own_for_others(tmp_path: Path) -> None:
    arm = Arm("shift", options={"a": 1, "b": 1}, each={"tempo": {"b": 2}}, without=("drums",))
    assert (arm.options_for("tempo"), arm.options_for("drums")) == ({"a": 1, "b": 2}, {"a": 1, "b": 1})
    bench(tmp_path / "store", evolve(SUITE, arms=(arm, Arm("pci"))))
    points = Plan.load(tmp_path / "store" / "plan.json").points
    assert {(point.concept, point.arm.split()[0]) for point in points} == {
        ("tempo", "shift"),
        ("tempo", "pci"),
        ("drums", "pci"),
    }


def test_without_captions_of_a_concept_nothing_starts(tmp_path: Path) -> None:
    suite = evolve(SUITE, localization=evolve(SUITE.localization, captions=str(tmp_path)))
    with pytest.raises(SpecError, match="tada counterfactuals tempo --out"):
        bench(tmp_path / "store", suite)
    for name in SUITE.concepts:
        write_pairs([Pair(f"{name} {place}", f"no {name}") for place in range(5)], tmp_path / f"{name}.json")
    assert check(suite, FakeTools()).keys() == set(SUITE.concepts)
    assert suite.localization is not None
    assert captions(suite.localization, "drums") == [Pair("drums 0", "no drums"), Pair("drums 1", "no drums")]


def test_captions_are_what_is_localised_and_another_file_is_another_impact(tmp_path: Path) -> None:
    given = []

    class Tools(FakeTools):
        def localize(self, model: Any, concept: Any, readout: Any, **options: Any) -> Any:
            given.append(options["pairs"])
            return super().localize(model, concept, readout, **{**options, "pairs": 2})

    suite = evolve(SUITE, concepts=("tempo",), localization=evolve(SUITE.localization, captions=str(tmp_path)))
    for text in ("one", "two", "two"):
        write_pairs([Pair(text, "none")], tmp_path / "tempo.json")
        run_suite(suite, tmp_path / "store", tools=Tools())
    assert given == [[Pair("one", "none")], [Pair("two", "none")]]


SCALE = DoseScale("spectral", "norm", [(-2, -0.5), (-1, -0.6), (0, 0), (1, 0.5), (2, 1.5)])


def test_the_reach_is_where_the_dose_is_one_or_largest() -> None:
    assert reach(SCALE, 1) == pytest.approx(1.5)
    # Never reached on this side: the strength that changed most, not the largest one.
    assert reach(SCALE, -1) == 1
    with pytest.raises(SpecError, match="side -1"):
        reach(DoseScale("spectral", "norm", [(0, 0), (1, 2)]), -1)


def test_strengths_are_shares_of_the_reach_of_their_side() -> None:
    fitted = bench_fakes.ShiftArtifact("fake", 4, bench_fakes.CONCEPTS["tempo"], (0,), 4, dose=SCALE)
    assert [steering(fitted, share, REACH)[0].strength for share in (-0.5, 0.5)] == [-0.5, 0.75]
    assert steering(fitted, 2.0, None)[0].strength == 2
    with pytest.raises(SpecError, match="not known"):
        steering(evolve(fitted, dose=None), 1.0, REACH)


def test_methods_are_fitted_at_the_suites_settings(tmp_path: Path) -> None:
    model: Any = Model()
    assert tuned(model, Settings()) is model
    assert tuned(model, Settings(steps=4, lyrics="la")) is model
    other = tuned(model, Settings(steps=2))
    assert (other.defaults.steps, other.defaults.guidance, model.defaults.steps) == (2, 3.0, 4)
    _, tools = bench(tmp_path / "store")
    _, again = bench(tmp_path / "store", evolve(SUITE, settings=Settings(steps=2)))
    _, same = bench(tmp_path / "store")
    assert (len(tools.fits), len(again.fits), len(same.fits)) == (6, 6, 0)


def test_a_suite_without_arms_localises_and_takes_its_limits(tmp_path: Path) -> None:
    suite = evolve(SUITE, arms=())
    assert suite.localization is not None
    small = suite.resized(prompts=1, seeds=3)
    assert small.localization == evolve(suite.localization, pairs=1, seeds=(0, 1, 2))
    store, tools = bench(tmp_path / "store", suite)
    assert (tools.localized, tools.made, store.failures()) == (2, [], [])


def test_the_first_batch_is_timed_and_belongs_to_the_results(tmp_path: Path) -> None:
    tools, said = FakeTools(), list[str]()
    run_suite(SUITE, tmp_path / "store", tools=tools, announce=said.append)
    assert [row.interventions for row in tools.made[:4]] == [()] * 4
    assert len(tools.made) == len({(row.text, row.seed, row.interventions) for row in tools.made})
    plain, _ = bench(tmp_path / "other")
    cells = [sorted(path.name for path in (tmp_path / name / "cells").iterdir()) for name in ("store", "other")]
    assert cells[0] == cells[1] and plain.failures() == []
    run_suite(SUITE, tmp_path / "store", tools=tools, announce=said.append)
    assert said[0] == said[2] and said[3] == "some of it is there already, and is not made again"


def test_a_first_batch_that_fails_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    said = list[str]()
    tools = FakeTools(broken=lambda row: row.seed == 0)
    store = run_suite(SUITE, tmp_path / "store", tools=tools, announce=said.append)
    assert "the first batch failed: RuntimeError: the fake model broke" in said[1]
    assert store.failures()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "a second"), (59, "59 seconds"), (90, "1.5 minutes"), (9000, "2.5 hours"), (1e9, "11,574 days")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("count", "words"), [(2.26e5, "226 kB"), (3.1e6, "3.1 MB"), (4e9, "4 GB"), (1.5e12, "1.5 TB")])
def test_sizes_in_words(count: float, words: str) -> None:
    assert size(count) == words


def test_budget_counts_what_methods_make_before_they_contrast() -> None:
    """No estimate is below what `fit` reports as its own total."""
    sae = tada.get_method("sae", pairs=3)
    assert sae.clips(8, 2) == 2 * 3 * 2 + sae.preparation(3, 2)
    assert sae.preparation(3, 2) > 0
    assert tada.get_method("caa").clips(8, 2) == 32
    sliders = tada.get_method("concept-sliders", iterations=5, batch=2, states=3)
    assert sliders.clips(1, 1) == 4 + 10


def test_budget_counts_every_clip() -> None:
    found = budget(SUITE, len(Model().layers), lambda arm, _: FakeTools().get_method(arm.method))
    # 2 concepts x 2 pairs x (3 layers + 2); 2 concepts x 2 fits x 2 prompts x 2 sides; 2 x 6 x (4 + 2 + 2 + 1).
    assert (found.localize, found.fit, found.evaluate, found.work) == (20, 16, 108, 144)
    assert str(found) == "144 clips: 20 to localise, 16 to fit, 108 to compare"


def test_a_reach_is_measured_on_the_prompts_there_are() -> None:
    arm = Arm("shift", unit=REACH)
    tried = 3 + 2 * len(ShiftArtifact.grid)
    for prompts, asked, counted in ((2, 4, 2), (8, 4, 4)):
        fitted = Fitting(prompts=prompts, reach=asked)
        suite = Suite("far", "fake", ("tempo",), (arm,), localization=None, fitting=fitted)
        assert fitting(suite, arm, Method()) == 2 * prompts + counted * tried


def test_a_method_that_takes_longer_is_estimated_so() -> None:
    assert tada.get_method("freesliders").cost == 2 and tada.get_method("caa").cost == 1
    slow = Suite("slow", "fake", ("tempo",), (Arm("freesliders", strengths=(-1, 1)), Arm("pci")), prompts=3)
    found = budget(slow, 3, lambda arm, _: tada.get_method(arm.method))
    assert found.work - found.total == 3 * 2 and found.evaluate == 3 * (2 + 2 + 1)
    timing = Timing(clips=4, seconds=2.0, scoring=1.0, size=1e6)
    seconds = found.work * 0.5 + found.evaluate * 0.25
    assert timing.of(found).startswith(f"about {duration(seconds)} (0.5 s a plain clip in a batch of 4, and 0.25 s to")


def test_measuring_the_first_batch_belongs_to_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = list[int]()

    def score(self: object, clips: list[Audio], against: object = None) -> NDArray[np.float64]:
        heard.extend(id(clip) for clip in clips if clip.seconds == SECONDS)
        return np.ones(len(clips))

    monkeypatch.setattr(type(METRICS["probes"]), "score", score)
    said = list[str]()
    tools = FakeTools()
    suite = evolve(SUITE, localization=None, concepts=("tempo",), arms=SUITE.arms[:1])
    run_suite(suite, tmp_path, tools=tools, announce=said.append)
    assert "s to measure it" in said[1]
    assert len(heard) == 2 * len(tools.made)


def test_resized_changes_only_what_is_asked() -> None:
    other = SUITE.resized(prompts=1, seeds=3)
    assert other == evolve(SUITE, prompts=1, seeds=(0, 1, 2))
    assert SUITE.resized(model="other") == evolve(SUITE, model="other")


def test_a_concept_that_a_metric_cannot_measure_is_told_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: object, concept: object) -> str:
        raise SpecError("no probe")

    monkeypatch.setattr(bench_fakes.Probe, "unit_for", refuse)
    with pytest.raises(SpecError, match="no probe"):
        check(SUITE, FakeTools())


def test_quality_is_measured_once_per_clip_and_can_be_added_later(tmp_path: Path) -> None:
    bench(tmp_path / "store", SUITE)
    heard: list[int] = []

    class Tools(FakeTools):
        def get_metric(self, name: str) -> Any:
            if name == "beauty":
                return evolve(bench_fakes.METRICS[name], heard=heard)
            return super().get_metric(name)

    tools = Tools()
    store = run_suite(evolve(SUITE, quality=("beauty",)), tmp_path / "store", tools=tools)
    assert (tools.made, store.failures()) == ([], [])
    assert sum(heard) == len(store.clips) + 1, "every clip once, and noise before any work"
    run_suite(evolve(SUITE, quality=("beauty",)), tmp_path / "store", tools=tools)
    assert sum(heard) == len(store.clips) + 2
    plan = Plan.load(tmp_path / "store" / "plan.json")
    assert plan.about["units"]["quality"] == {"beauty": "points"}
    for score in read_points(store, plan, "probes", "spectral", ("beauty",)):
        assert score.quality["beauty"] == pytest.approx(7 - score.alignment)


def test_a_quality_that_fails_is_listed_and_takes_nothing_else_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = bench(tmp_path / "plain", evolve(SUITE, quality=("beauty",)))[0]
    score = bench_fakes.Probe.score

    def deaf(self: Any, clips: Any, against: Any = None) -> Any:
        if self.name == "truth" and len(clips) == 2:
            raise RuntimeError("no ears")
        return score(self, clips, against)

    monkeypatch.setattr(bench_fakes.Probe, "score", deaf)
    asked = evolve(SUITE, quality=("beauty", "truth"))
    store = bench(tmp_path / "store", asked)[0]
    assert {failure["error"] for failure in store.failures()} == {"RuntimeError: no ears"}
    plan = Plan.load(tmp_path / "store" / "plan.json")
    found = results(asked, plan, read_points(store, plan, "probes", "spectral", asked.quality))
    whole = results(SUITE, plan, read_points(plain, plan, "probes", "spectral", ("beauty",)))
    assert len(found) == len(whole) == 6
    for one, other in zip(found, whole, strict=True):
        assert (one.mean, one.prompts, one.qualities["beauty"]) == (other.mean, 3, other.qualities["beauty"])
        # Cells of two clips: the sweeps of two strengths; those of "pci all" are clips of "shift all" too.
        lost = one.arm == "shift local"
        assert one.quality is not None and other.quality is not None
        assert (one.qualities["truth"].mean.value is None) == (one.quality.mean.value is None) == lost
        assert other.quality.mean == other.qualities["beauty"].mean
