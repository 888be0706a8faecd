"""Suites: JSON round trip, validation in words, budget, resizing."""

from __future__ import annotations

import json
from pathlib import Path

import bench_fakes
import pytest
from attrs import evolve
from bench_fakes import SUITE, FakeTools, Model, bench

from tada_bench.budget import budget
from tada_bench.run import check
from tada_bench.suite import Arm, Suite
from tada_core.errors import SpecError, UnknownNameError


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


def test_budget_counts_every_clip() -> None:
    found = budget(SUITE, len(Model().layers))
    # 2 concepts x 2 pairs x (3 layers + 2); 2 concepts x 2 fits x 2 prompts x 2 sides; 2 x 6 x (4 + 2 + 2 + 1).
    assert (found.localize, found.fit, found.evaluate) == (20, 16, 108)
    assert str(found) == "144 clips: 20 to localise, 16 to fit, 108 to compare"


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
