"""`tada bench` and `tada report` as they are typed, on fakes; once for real on etude."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import pytest
from bench_fakes import SUITE, FakeTools

from tada_bench import app, run
from tada_bench.run import run_suite
from tada_bench.store.store import Store
from tada_bench.suite import Arm, Fitting, Localization, Suite
from tada_bench.suites import DEFAULT, ETUDE_FULL
from tada_core.generation import Settings


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suite's file; names in it are the fakes'."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "Installed", FakeTools)
    return SUITE.save(tmp_path / "small.json")


def tada(*arguments: str) -> int:
    """Exit status of a command line."""
    with pytest.raises(SystemExit) as stopped:
        app.main(arguments)
    return int(stopped.value.code or 0)


def test_bench_prints_the_budget_first_and_the_page_last(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tada("bench", str(suite)) == 0
    shown = capsys.readouterr()
    lines, cost = shown.out.strip().split("\n"), shown.err.split("\n")
    assert cost[0] == "small on fake: at most 144 clips: 20 to localise, 16 to fit, 108 to compare"
    said = r"small on fake: about .* s a plain clip in a batch of 4, and .* s to measure it\), .* of clips kept"
    assert any(re.fullmatch(said, line) for line in cost[1:4]), cost[1:4]
    assert lines[-1] == "tada-results/small/report/index.html"
    assert Path(lines[-1]).is_file()
    assert any(line.startswith("tempo    shift all") for line in lines)
    same = "cannot distinguish anything: the smallest possible p is .25"
    assert f"all concepts, tempo, drums: 3 prompts {same}" in lines
    assert "probes, all concepts together: shares of the AUC avg of pci" in lines
    assert [line.split()[-3:] for line in lines if line.startswith("pci all  ")] == [["2", "of", "2"]]
    assert "114 of 114 clips" in shown.err


def test_bench_smaller_and_as_json(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tada("bench", str(suite), "--limit", "1", "--seeds", "1", "--out", "there", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"page", "results", "overall", "comparisons", "failures"}
    assert found["overall"] == [], "of one prompt nothing is surely above zero"
    assert {(one["concept"], one["first"], one["second"]) for one in found["comparisons"]} == {
        (concept, first, second)
        for concept in SUITE.concepts
        for first, second in combinations(["shift all", "shift local", "pci all"], 2)
    }
    assert {one["mean"]["p"] for one in found["comparisons"]} == {1}
    assert found["page"] == "there/report/index.html"
    assert {(one["prompts"], one["seeds"]) for one in found["results"]} == {(1, 1)}
    assert Suite.load("there/suite.json") == SUITE.resized(prompts=1, seeds=1)


def test_report_again(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tada("bench", str(suite))
    before = capsys.readouterr().out
    assert tada("report", "tada-results/small") == 0
    assert capsys.readouterr().out == before


def test_failures_are_told_and_the_status_is_one(
    suite: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "Installed", lambda: FakeTools(broken=lambda row: row.seed == 1))
    assert tada("bench", str(suite)) == 1
    shown = capsys.readouterr()
    assert "RuntimeError: the fake model broke" in shown.out
    assert "pieces of work failed; the same command tries them again" in shown.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bench", "defualt"], "nearest: default"),
        (["bench", "nothing.json"], "cannot read the suite nothing.json"),
        (["bench", "small.json", "--limit", "99"], "99 evaluation prompts"),
        (["report", "."], "is no result store"),
    ],
)
def test_what_cannot_work_is_one_line(
    suite: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert tada(*arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("suite", [DEFAULT, ETUDE_FULL], ids=lambda suite: suite.name)
def test_suites_of_the_package_name_only_what_exists(suite: Suite, tmp_path: Path) -> None:
    run.check(suite, run.Installed())
    assert Suite.load(suite.save(tmp_path / "suite.json")) == suite


def test_etude_is_localised_fitted_steered_and_measured(tmp_path: Path) -> None:
    """The whole chain with nothing faked, as small as it gets."""
    suite = Suite(
        "tiny",
        "etude",
        ("drums",),
        (Arm("caa", "local", (-0.5, 0.5)), Arm("pci", "all", (-1, 1))),
        prompts=1,
        localization=Localization(pairs=1),
        fitting=Fitting(prompts=1),
        settings=Settings(steps=4),
    )
    store = run_suite(suite, tmp_path / "store")
    assert store.failures() == []
    assert len(store.clips) == 5
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.flac")}
    run_suite(suite, tmp_path / "store")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.flac")} == stamps
    assert len(Store.read(tmp_path / "store").clips) == 5
