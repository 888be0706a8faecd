"""The page's folder, read as files: whole, self-contained, the same numbers everywhere."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import bench_fakes
import numpy as np
import pytest
import soundfile
import torch
from attrs import evolve
from bench_fakes import RATE, SECONDS, SUITE, FakeTools, bench

from tada_bench.page.build import Report, report
from tada_bench.page.picture import COLUMNS, ROWS, spectrogram
from tada_bench.paper.beside import beside, published
from tada_bench.protocol.bootstrap import Estimate
from tada_bench.results import ArmResult, PointResult, TwoSided
from tada_bench.tables import latex, markdown, number, span
from tada_bench.tables.layout import layout
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
    assert len(rows) == len(made.findings.results) == 2 * 3
    page, tables = made.page.read_text(), (made.page.parent / "tables.md").read_text()
    for row, result in zip(rows, made.findings.results, strict=True):
        assert float(row["mean"]) == result.mean.value
        assert [row["reached_positive"], row["reached_negative"]] == [str(there) for there in result.reached]
        for side, rests in zip(("positive", "negative"), result.support, strict=True):
            assert rests is not None
            assert [float(row[f"{name}_{side}"]) for name in ("reach", "gap", "first", "interpolated")] == [
                rests.reach,
                rests.gap,
                rests.first,
                rests.interpolated,
            ]
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
    result = made.findings.results[0]
    assert result.cutoffs == pytest.approx((0.15, 0.15), rel=1e-3)
    assert result.positive.value == pytest.approx(0.15**2 / 2, rel=1e-3)
    assert result.smoothness.value == pytest.approx(0.0, abs=1e-6)
    assert result.reached == (True, True)
    local = made.findings.results[1]
    assert local.layers == (1,)
    assert local.reached == (False, False)
    assert local.notes[0].startswith("side +: does not reach the cut-off 0.150; the curve ends at 0.100")
    assert (result.notes, made.findings.results[2].notes) == ((), ())
    # Changes 0, .15, .3: one piece up to the cut-off, which is a point of the curve but for rounding to 16 bits.
    assert result.support[0] is not None and result.support[0].first == pytest.approx(1, abs=1e-3)
    assert local.support[0] is not None and local.support[0].reach == pytest.approx(0.1, rel=1e-3)


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
    assert {result.metric for result in made.findings.results} == {"probes", "loudness"}
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
    assert "quality" not in markdown(made.findings.results)
    assert markdown(made.findings.results).count("\n") == 2 + len(made.findings.results)
    assert latex(made.findings.results).count(r"\\") == 1 + len(made.findings.results)


def test_curves_that_end_early_are_said_in_the_words_of_the_protocol(made: Report) -> None:
    said = "shift local, tempo, side +: does not reach the cut-off 0.150; the curve ends at 0.100, and nothing is "
    assert f"{said}extrapolated" in Page(made.page).text
    assert f"* {said}extrapolated" in (made.page.parent / "tables.md").read_text()
    assert "pci all, tempo" not in Page(made.page).text


def test_differences_are_in_all_files_with_the_prompts_that_remain(made: Report) -> None:
    table, page = read(made, "comparisons"), Page(made.page)
    assert len(table) == len(made.findings.comparisons) == 3 * 3
    for row, one in zip(table, made.findings.comparisons, strict=True):
        assert float(row["mean_value"]) == one.mean.value
        assert float(row["mean_corrected"]) == one.mean.corrected
        assert row["prompts"] == ("2" if one.concept == "drums" else "3")
    text = (made.page.parent / "tables.md").read_text()
    for words in (
        "tempo: 3 prompts cannot distinguish anything: the smallest possible p is .25",
        "drums against pci: 2 prompts cannot distinguish anything: the smallest possible p is .5, and 1 after",
        "shift all and shift local cannot be told apart",
    ):
        assert words in page.text
        assert words in text
    assert {cell for cell in ("3 of 3", "2 of 3") if cell in text} == {"3 of 3", "2 of 3"}
    assert made.page.read_text().count('class="same"') == 3 * 3 * 7


def test_all_concepts_together_are_in_all_files(made: Report) -> None:
    table, page = read(made, "overall"), Page(made.page)
    found = made.findings.overall["probes"]
    assert [row["arm"] for row in table] == [arm.arm for arm in found.arms] == [arm.name for arm in SUITE.arms]
    assert [float(row["mean"]) for row in table] == [arm.mean.value for arm in found.arms]
    assert {row["concepts"] for row in table} == {"tempo drums"}
    text = (made.page.parent / "tables.md").read_text()
    for words in ("All concepts together", "averaged over tempo, drums: 1 is what changing the prompt does."):
        assert words in page.text
        assert words in text
    shift, local, prompt = (arm.mean.value for arm in found.arms)
    assert (shift, local, prompt) == pytest.approx((1.0, 4 / 9, 1.0), abs=1e-3)


def test_quality_has_columns_of_its_own_for_every_side_and_metric(tmp_path: Path) -> None:
    bench(tmp_path / "store", evolve(SUITE, quality=("beauty", "truth"), concepts=("tempo",)))
    made = report(tmp_path / "store")
    head, *_ = (made.page.parent / "tables.md").read_text().split("\n")[2:]
    assert head == (
        "| concept | method | AUC + | AUC - | AUC avg | smoothness | quality | first piece | interpolated "
        "| cut-off reached |"
    )
    assert "Quality is the mean of beauty (points), truth (points) over" in Page(made.page).text
    row, result = read(made, "results")[0], made.findings.results[0]
    # 7 less the level, which is the change on the side + and its negative on the side -, up to the cut-off .15.
    assert float(row["quality_positive"]) == pytest.approx(7 - 0.15 / 2, abs=1e-3)
    assert float(row["quality_negative"]) == pytest.approx(7 + 0.15 / 2, abs=1e-3)
    assert float(row["beauty_positive"]) == float(row["truth_positive"]) == float(row["quality_positive"])
    assert float(row["quality"]) == pytest.approx(7, abs=1e-3)
    assert float(row["quality_low"]) <= float(row["quality"]) <= float(row["quality_high"])
    assert result.quality is not None and result.quality.mean.value == float(row["quality"])
    scores = read(made, "scores")
    assert float(scores[0]["beauty"]) == pytest.approx(7 - float(scores[0]["alignment"]))


def example(arm: str, value: float | None, smooth: float, *, ceiling: bool = False) -> ArmResult:
    """A result of which only some numbers matter."""
    one = Estimate(value)
    return ArmResult(
        "tempo", arm, arm, "all", (0,), "norm", ceiling, "bpm", 1, 1, (), one, one, one, Estimate(smooth),
        TwoSided(one, one, one), {}, (None, None), (True, True), (None, None), (),
    )  # fmt: skip


def best(*results: ArmResult) -> dict[str, list[str]]:
    head, body = layout(results)
    return {name: [row[1].text for row in body if row[place].best] for place, name in enumerate(head)}


def test_the_best_of_a_column_is_bold_but_never_the_ceiling() -> None:
    one, two, same = example("one", 1.0, 0.3), example("two", 2.0, 0.5), example("same", 2.0001, 0.4)
    top = example("pci", 9.0, 0.0, ceiling=True)
    found = best(one, two, same, top)
    assert found["AUC avg"] == found["quality"] == ["two {0}", "same {0}"], "what reads the same is as good"
    assert found["smoothness"] == ["one {0}"]
    assert found["method"] == found["cut-off reached"] == []
    assert "| **2.00** |" in markdown([one, two]) and "**pci" not in markdown([one, top])
    assert r"\textbf{2.00}" in latex([one, two])
    assert not any(best(one, top).values()), "one method alone is not the best of anything"
    assert best(one, example("none", None, 0.3))["AUC +"] == []
    other = evolve(two, concept="drums")
    assert best(one, other) == best(one), "concepts do not compete"


def test_published_numbers_are_as_the_paper_has_them() -> None:
    """Means are (pos + neg) / 2 within rounding; and some rows by heart."""
    table = published("table3")
    assert len(table) == 4 * 8 * 2
    for line in table:
        pair = float(line["positive"]) + float(line["negative"])
        assert float(line["mean"]) == pytest.approx(pair / 2, abs=0.00051)
    rows = {tuple(line.values())[:4]: tuple(line.values())[4:] for line in table}
    assert rows["piano", "sae", "local", "muq"] == ("0.173", "0.075", "0.124", "0.037", "6.787")
    assert rows["vocal-gender", "text-embedding", "all", "muq"] == ("-0.091", "0.043", "-0.024", "", "6.705")
    assert rows["mood", "sae", "local", "clap"] == ("0.036", "0.104", "0.070", "0.050", "6.726")
    two = {tuple(line.values())[:4]: tuple(line.values())[4:] for line in published("table2")}
    assert len(two) == 4 * 3 * 2
    assert two["song-tempo", "caa", "local", "clap"] == ("3.402", "0.190")
    assert two["vocal-gender", "caa", "rest", "muq"] == ("3.635", "0.056")


def test_published_numbers_stand_beside_those_of_the_same_model_only() -> None:
    points = tuple(PointResult(a, Estimate(abs(a)), Estimate(a)) for a in (-2.0, -1.0, 0.0, 1.0, 2.0))
    found = evolve(
        example("caa", 9.0, 0.3), concept="mood", metric="muq", points=points, cutoffs=(1.5, 2.0)
    )  # fmt: skip
    made = beside("tada-table3", "ace-step", [found])
    assert made is not None
    row = next(row for row in made.rows if row[:3] == ("mood", "caa all", "muq"))
    # By the paper's definition the side + ends at 1, its last point below 1.5: half a unit, and 2 on the side -.
    assert row[3:] == ("0.021 / 0.500", "0.005 / 2.00", "0.013 / 1.25", "0.124 / 0.300", "6.772 / 9.00")
    assert {row[0] for row in made.rows} == {"mood"}
    assert next(row for row in made.rows if row[1:3] == ("sae local", "muq"))[3] == "0.039 / n/a"
    two = beside("tada-table2", "ace-step", [found])
    assert two is not None
    assert two.rows[0] == ("mood", "caa all", "muq", "3.678 / 2.00 and 2.00", "0.075 / 2.00 and 2.00")
    other = beside("tada-table3", "etude", [found])
    assert other is not None and other.rows == () and "of ACE-Step, and not of etude" in other.said
    assert beside("default", "ace-step", [found]) is None


def test_the_page_shows_published_numbers_or_says_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for model in ("ace-step", "fake"):
        monkeypatch.setattr(bench_fakes.Model, "name", model)
        bench(tmp_path / model, evolve(SUITE, name="tada-table3", concepts=("tempo",)))
        made = report(tmp_path / model)
        page = Page(made.page)
        assert "https://arxiv.org/abs/2602.11910" in page.links
        assert ("not of fake" in page.text) == (model == "fake")
        assert ("its layers 7 and 8 are 6 and 7 here" in page.text) == (model == "ace-step")
        assert "## Beside the paper" in (made.page.parent / "tables.md").read_text()


def test_spectrogram_shows_a_tone_at_its_pitch() -> None:
    time = torch.arange(16000) / 8000
    picture = spectrogram(Audio(0.5 * torch.sin(2 * torch.pi * 1000 * time)[None], 8000))
    assert picture.shape == (ROWS, COLUMNS)
    edges = np.geomspace(60, 4000, ROWS + 1)
    band = int(np.searchsorted(edges, 1000)) - 1
    assert abs((ROWS - 1 - int(picture[:, COLUMNS // 2].argmax())) - band) <= 1
    assert spectrogram(Audio(torch.zeros(1, 8000), 8000)).max() == 0


def test_a_run_stopped_before_it_had_a_plan_is_told_so(tmp_path: Path) -> None:
    bench(tmp_path)
    wider = evolve(SUITE, alignment=("probes", "loudness"))
    wider.save(tmp_path / "suite.json")
    with pytest.raises(StoreError, match=r"no plan with loudness yet.*run `tada bench`"):
        report(tmp_path)
    bench(tmp_path, wider)
    assert {one.metric for one in report(tmp_path).findings.results} == {"probes", "loudness"}
