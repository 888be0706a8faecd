"""The page's folder, read as files: whole, self-contained, the same numbers everywhere."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from attrs import evolve
from bench_fakes import RATE, SECONDS, SUITE, FakeTools, bench

from tada_bench.page.build import Report, report
from tada_bench.page.picture import COLUMNS, ROWS, spectrogram
from tada_bench.tables import latex, markdown, number, span
from tada_core.audio import Audio
from tada_core.errors import StoreError


class Page(HTMLParser):
    """Links, inline data and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.data: Any = None
        self.text = ""
        self._inside = ""
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [value for key in ("src", "href") if (value := found.get(key))]
        self._inside = str(found.get("id")) if tag == "script" else tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "data":
            self.data = json.loads(data)
        self.text += data


def read(made: Report, name: str) -> list[dict[str, str]]:
    """Rows of one of the page's CSV files."""
    return list(csv.DictReader((made.page.parent / f"{name}.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The page of a run in which one prompt failed for one concept."""
    folder = tmp_path_factory.mktemp("page") / "store"
    bench(folder, broken=lambda row: row.prompt == "tune 1" and any("drums" in str(i) for i in row.interventions))
    return report(folder)


def test_page_needs_nothing_from_outside_its_folder(made: Report) -> None:
    page = Page(made.page)
    for link in page.links:
        assert link.startswith(("#", "data:")) or (made.page.parent / link).is_file()
    text = made.page.read_text()
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert "fetch(" not in text
    assert "import " not in text.split("<script>")[1]


def test_every_clip_of_the_players_is_there_and_plays(made: Report) -> None:
    page = Page(made.page)
    sweeps = page.data["players"]
    assert {(one["concept"], one["arm"]) for one in sweeps} == {
        (concept, arm.name) for concept in SUITE.concepts for arm in SUITE.arms
    }
    for clip in (clip for one in sweeps for clip in one["clips"]):
        assert soundfile.info(made.page.parent / "audio" / f"{clip['id']}.flac").frames == SECONDS * RATE
        assert (made.page.parent / "pictures" / f"{clip['id']}.png").is_file()
    for one in sweeps:
        strengths = [clip["strength"] for clip in one["clips"]]
        assert strengths == sorted(strengths)


def test_failures_are_listed_with_their_traceback(made: Report) -> None:
    text = Page(made.page).text
    assert "RuntimeError: the fake model broke" in text
    assert "Traceback (most recent call last)" in text
    assert "pieces of work failed" in text


def test_heat_map_names_every_interval(made: Report) -> None:
    assert made.page.read_text().count("95% interval") == 2 * 2 * 3
    assert Page(made.page).data["heat"][0]["effect"] == "1.00"


def test_tables_csv_and_page_hold_the_same_numbers(made: Report) -> None:
    rows = read(made, "results")
    assert len(rows) == len(made.results) == 2 * 3
    page, tables = made.page.read_text(), (made.page.parent / "tables.md").read_text()
    for row, result in zip(rows, made.results, strict=True):
        assert float(row["mean"]) == result.mean.value
        assert number(result.mean.value) in page
        assert number(result.mean.value) in tables
    assert {row["prompts"] for row in rows if row["concept"] == "tempo"} == {"3"}
    assert {row["prompts"] for row in rows if row["concept"] == "drums"} == {"2"}


def test_figures_are_drawn_for_papers(made: Report) -> None:
    for name in ("heat", "curves-probes", "overview"):
        assert (made.page.parent / f"{name}.svg").read_text().rstrip().endswith("</svg>")
        assert (made.page.parent / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_results_are_the_fakes_own_line(made: Report) -> None:
    """The fake's gain equals its change, so the area up to the cut-off .15 is half its square; its steps are even."""
    result = made.results[0]
    assert result.cutoffs == pytest.approx((0.15, 0.15), rel=1e-3)
    assert result.positive.value == pytest.approx(0.15**2 / 2, rel=1e-3)
    assert result.smoothness.value == pytest.approx(0.0, abs=1e-6)
    assert result.reached == (True, True)
    local = made.results[1]
    assert local.layers == (1,)
    assert local.reached == (False, False)


def test_scores_of_every_clip_are_kept(made: Report) -> None:
    rows = read(made, "scores")
    assert len(rows) == sum(len(one["clips"]) for one in Page(made.page).data["players"])
    assert {row["preservation"] for row in rows if float(row["strength"]) == 0} == {"0.0"}


def test_report_again_gives_the_same_page_and_leaves_the_cells_alone(made: Report) -> None:
    cells = made.page.parent.parent / "cells"
    before = {path: path.stat().st_mtime_ns for path in cells.rglob("*")}
    text = made.page.read_text()
    assert report(made.page.parent.parent).page.read_text() == text
    assert {path: path.stat().st_mtime_ns for path in cells.rglob("*")} == before


def test_two_metrics_make_two_tables_and_one_choice(tmp_path: Path) -> None:
    bench(tmp_path / "store", evolve(SUITE, alignment=("probes", "loudness"), localization=None, arms=SUITE.arms[::2]))
    made = report(tmp_path / "store")
    assert {result.metric for result in made.results} == {"probes", "loudness"}
    assert Page(made.page).data["heat"] == []
    assert (made.page.parent / "curves-loudness.svg").is_file()
    assert "## loudness" in (made.page.parent / "tables.md").read_text()


def test_report_of_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no store\.json"):
        report(tmp_path)


def test_report_of_a_store_without_a_plan_says_what_to_run(tmp_path: Path) -> None:
    bench(tmp_path / "store")
    (tmp_path / "store" / "plan.json").unlink()
    with pytest.raises(StoreError, match="run `tada bench`"):
        report(tmp_path / "store")


def test_a_title_that_looks_like_markup_stays_text(tmp_path: Path) -> None:
    def broken(row: Any) -> bool:
        raise RuntimeError("</script><b>loud</b>")

    bench(tmp_path / "store", broken=broken)
    made = report(tmp_path / "store")
    assert Page(made.page).data["failures"][0]["error"] == "RuntimeError: </script><b>loud</b>"
    assert "<b>loud</b>" not in made.page.read_text().split("<main>")[1].split("<footer>")[0]


def test_an_undefined_impact_is_said_and_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    localize = FakeTools.localize

    def nothing(self: Any, *arguments: Any, **options: Any) -> Any:
        found = localize(self, *arguments, **options)
        return evolve(found, target=found.source, patched=0 * found.patched)

    monkeypatch.setattr(FakeTools, "localize", nothing)
    bench(tmp_path / "store", evolve(SUITE, arms=SUITE.arms[::2]))
    page = Page(report(tmp_path / "store").page)
    assert {cell["impact"] for row in page.data["heat"] for cell in row["layers"]} == {None}
    assert page.text.count("n/a") >= 2 * 3


def test_numbers_and_layers_in_words() -> None:
    assert [number(value) for value in (None, 0.0123456, 1.5, 1234.5, -120.0)] == [
        "n/a", "0.0123", "1.50", "1234", "-120",
    ]  # fmt: skip
    assert [span(layers) for layers in ((), (2, 3), (0, 1, 2, 3), (0, 4, 5, 6))] == ["", "2, 3", "0-3", "0, 4-6"]


def test_latex_and_markdown_have_one_row_per_arm(made: Report) -> None:
    assert markdown(made.results).count("\n") == 2 + len(made.results)
    assert latex(made.results).count(r"\\") == 1 + len(made.results)


def test_spectrogram_shows_a_tone_at_its_pitch() -> None:
    time = torch.arange(16000) / 8000
    picture = spectrogram(Audio(0.5 * torch.sin(2 * torch.pi * 1000 * time)[None], 8000))
    assert picture.shape == (ROWS, COLUMNS)
    edges = np.geomspace(60, 4000, ROWS + 1)
    band = int(np.searchsorted(edges, 1000)) - 1
    assert abs((ROWS - 1 - int(picture[:, COLUMNS // 2].argmax())) - band) <= 1
    assert spectrogram(Audio(torch.zeros(1, 8000), 8000)).max() == 0
