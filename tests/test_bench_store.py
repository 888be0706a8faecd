"""The store: nothing finished is made again, nothing half-made is kept, whatever happens in between."""

from __future__ import annotations

import errno
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import bench_fakes
import numpy as np
import pytest
from attrs import evolve
from bench_fakes import SUITE, bench
from filelock import FileLock

from tada_bench.plan import Plan
from tada_bench.results import read_points, results
from tada_bench.store import cell as cell_module
from tada_bench.store.files import new_folder, write_json
from tada_bench.store.store import Store
from tada_bench.suite import Arm
from tada_core.errors import StoreError


def content(folder: Path) -> dict[str, str]:
    """Every file but the lock, by path, as a digest."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of every file inside cells, artefacts and impacts."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for part in ("cells", "artifacts", "impacts")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store made without interruption; tests only read it."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    bench(folder)
    return folder


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    import shutil

    return Path(shutil.copytree(whole, tmp_path / "copy"))


def test_every_clip_is_made_once_and_unsteered_ones_are_shared(tmp_path: Path) -> None:
    store, tools = bench(tmp_path / "store")
    assert len(tools.made) == len(store.clips) == len(set(tools.made))
    unsteered = [row for row in tools.made if not row.interventions]
    # Three prompts and two seeds; both concepts have the same neutral template and prompts.
    assert len(unsteered) == 6
    assert not store.failures()


def test_a_second_run_makes_nothing_and_touches_nothing(copy: Path) -> None:
    before = stamps(copy)
    _, tools = bench(copy)
    assert (tools.made, tools.fits, tools.localized) == ([], [], 0)
    assert stamps(copy) == before


@pytest.mark.parametrize("batch", [1, 3, 8])
def test_a_run_killed_and_repeated_ends_the_same_byte_for_byte(whole: Path, tmp_path: Path, batch: int) -> None:
    folder = tmp_path / "store"
    command = [sys.executable, bench_fakes.__file__, str(folder), str(batch)]
    assert subprocess.run(command, check=False, timeout=120).returncode == -9
    before = stamps(folder)
    finished = len(list(folder.glob("cells/*/DONE")))
    assert finished == batch - 1
    _, tools = bench(folder)
    after = stamps(folder)
    assert {path: after[path] for path in before} == before
    assert len(tools.made) + sum(1 for path in before if path.endswith(".flac")) == len(Store.read(whole).clips)
    assert content(folder) == content(whole)


def test_what_a_killed_run_left_half_written_is_removed(copy: Path, whole: Path) -> None:
    (copy / "cells" / ".tmp-abc").mkdir()
    (copy / "cells" / ".tmp-abc" / "row-1.flac").touch()
    (copy / ".tmp-plan.json").touch()
    bench(copy)
    assert content(copy) == content(whole)


@pytest.mark.parametrize("damage", ["audio", "no audio", "rows", "marker"])
def test_a_damaged_cell_is_set_aside_and_made_again(copy: Path, whole: Path, damage: str) -> None:
    cell = sorted(copy.glob("cells/*"))[0]
    clip = sorted(cell.glob("*.flac"))[0]
    if damage == "audio":
        clip.write_bytes(clip.read_bytes()[:-7])
    elif damage == "no audio":
        clip.unlink()
    elif damage == "rows":
        (cell / "rows.json").write_text("{")
    else:
        (cell / "DONE").unlink()
    rest = {path: stamp for path, stamp in stamps(copy).items() if cell.name not in path}
    with pytest.warns(UserWarning, match="damaged cell set aside"):
        bench(copy)
    assert (copy / "aside" / cell.name).is_dir()
    assert {path: stamps(copy)[path] for path in rest} == rest
    assert {path: digest for path, digest in content(copy).items() if not path.startswith("aside")} == content(whole)


def test_damaged_scores_artefacts_and_impacts_are_set_aside_and_made_again(copy: Path, whole: Path) -> None:
    for pattern in ("cells/*/scores/probes@tempo.json", "artifacts/*/config.json", "impacts/*.json"):
        sorted(copy.glob(pattern))[0].write_text("[]")
    with pytest.warns(UserWarning, match="set aside") as warned:
        _, tools = bench(copy)
    assert len(warned) == 3
    assert (tools.made, len(tools.fits), tools.localized) == ([], 1, 1)
    assert {path: digest for path, digest in content(copy).items() if not path.startswith("aside")} == content(whole)


def test_more_strengths_and_another_arm_make_only_the_new_clips(copy: Path) -> None:
    before = stamps(copy)
    first, *rest = SUITE.arms
    wider = evolve(first, strengths=(*first.strengths, 2.0))
    suite = evolve(SUITE, arms=(wider, *rest, Arm("shift", (0, 2), (-1, 1))))
    _, tools = bench(copy, suite)
    # Two concepts, three prompts, two seeds; one new strength, and the two of the new arm.
    assert len(tools.made) == 2 * 3 * 2 * (1 + 2)
    assert all(row.interventions for row in tools.made)
    assert {path: stamps(copy)[path] for path in before} == before


def test_a_metric_added_later_generates_nothing(copy: Path) -> None:
    before = stamps(copy)
    _, tools = bench(copy, evolve(SUITE, alignment=("probes", "loudness")))
    assert tools.made == []
    assert {path: stamps(copy)[path] for path in before} == before
    store, plan = Store.read(copy), Plan.load(copy / "plan.json")
    assert len(read_points(store, plan, "loudness", "spectral")) == len(plan.points)


def test_a_concept_measured_against_another_probe_is_scored_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = evolve(bench_fakes.CONCEPTS["tempo"], probe="metre")
    monkeypatch.setitem(bench_fakes.CONCEPTS, "tempo", changed)
    before = content(copy)
    bench(copy, evolve(SUITE, localization=None, arms=SUITE.arms[::2]))
    changes = {path for path, digest in content(copy).items() if before.get(path) != digest}
    assert {Path(path).name for path in changes} == {"probes@tempo.json", "suite.json", "plan.json"}


def test_a_failing_cell_is_listed_with_its_traceback_and_tried_again(tmp_path: Path, whole: Path) -> None:
    folder = tmp_path / "store"
    store, _ = bench(folder, broken=lambda row: row.prompt == "tune 1" and bool(row.interventions))
    failures = store.failures()
    # Two concepts, two arms, two seeds: the fake's third arm asks for clips that the first one makes.
    assert len(failures) == 2 * 2 * 2
    assert "RuntimeError: the fake model broke" in failures[0]["error"]
    assert "Traceback" in failures[0]["traceback"]
    assert "tune 1" in failures[0]["label"]
    plan = Plan.load(folder / "plan.json")
    found = results(SUITE, plan, read_points(store, plan, "probes", "spectral"))
    assert {result.prompts for result in found} == {2}
    store, _ = bench(folder)
    assert not store.failures()
    assert len(store.clips) == len(Store.read(whole).clips)


def test_a_method_that_cannot_be_fitted_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = bench_fakes.Method.fit

    def broken(self: Any, model: Any, concept: Any, *rest: Any) -> Any:
        if self.name == "shift":
            raise RuntimeError("no direction")
        return fit(self, model, concept, *rest)

    monkeypatch.setattr(bench_fakes.Method, "fit", broken)
    store, tools = bench(tmp_path / "store")
    assert {failure["label"] for failure in store.failures()} == {
        f"fitting shift {where} to {concept}" for where in ("all", "local") for concept in SUITE.concepts
    }
    assert len(tools.made) == 6 + 2 * 6 * 2


def test_a_score_that_is_no_number_is_listed_and_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = bench_fakes.Probe.score

    def undefined(self: Any, clips: Any, against: Any = None) -> Any:
        values = score(self, clips, against)
        return np.where(values > 0.25, np.nan, values) if self.kind == "alignment" else values

    monkeypatch.setattr(bench_fakes.Probe, "score", undefined)
    store, _ = bench(tmp_path / "store")
    assert "gives no finite number for" in store.failures()[0]["error"]
    plan = Plan.load(tmp_path / "store" / "plan.json")
    found = results(SUITE, plan, read_points(store, plan, "probes", "spectral"))
    assert {result.arm for result in found} == {"shift local", "pci all"}


def test_a_full_disk_is_one_clear_error_and_loses_nothing(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(copy)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cell_module, "write_json", full)
    with pytest.raises(StoreError, match=r"No space left on device; nothing finished is lost.*same command again"):
        bench(copy, evolve(SUITE, prompts=4))
    monkeypatch.undo()
    after = content(copy)
    changing = {"suite.json", "plan.json"}
    assert {path: after[path] for path in before if path not in changing} == {
        path: digest for path, digest in before.items() if path not in changing
    }
    assert not list(copy.rglob(".tmp-*"))
    store, _ = bench(copy, evolve(SUITE, prompts=4))
    assert not store.failures()


def test_a_store_of_another_version_is_refused_before_any_work(copy: Path) -> None:
    write_json(copy / "store.json", {"format": 99})
    before = content(copy)
    with pytest.raises(StoreError, match="format 99, this version reads 1"):
        bench(copy)
    assert content(copy) == before


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    with pytest.raises(StoreError, match="is no result store"):
        bench(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


def test_a_store_in_use_is_refused(copy: Path) -> None:
    with FileLock(copy / ".lock"), pytest.raises(StoreError, match="in use by another run"):
        bench(copy)


def test_reading_leaves_a_damaged_cell_out_and_in_place(copy: Path) -> None:
    cell = sorted(copy.glob("cells/*"))[0]
    (cell / "DONE").unlink()
    with pytest.warns(UserWarning, match="left out"):
        store = Store.read(copy)
    assert cell.is_dir()
    assert cell not in {path.parent for path in store.clips.values()}


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="half"), new_folder(tmp_path / "made") as temporary:
        (temporary / "first").touch()
        raise ValueError("half")
    assert list(tmp_path.iterdir()) == []


def test_every_cell_says_what_it_holds(whole: Path) -> None:
    rows = json.loads(sorted(whole.glob("cells/*/rows.json"))[0].read_text())["rows"]
    assert set(rows[0]) == {"identity", "file", "sha256", "row"}
    assert rows[0]["row"]["type"] == "Row"
