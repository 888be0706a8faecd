"""Write the page's folder from a store, without generating anything."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from tada_bench.figures import plot_curves, plot_overview
from tada_bench.findings import Findings, find
from tada_bench.page.data import page_data
from tada_bench.page.picture import draw
from tada_bench.paper.beside import LINK, Beside, beside
from tada_bench.plan import Plan
from tada_bench.results import ArmResult, Score, read_points
from tada_bench.store.files import disk, new_folder
from tada_bench.store.store import Store
from tada_bench.suite import Suite
from tada_bench.tables import together as tables
from tada_bench.tables.document import latex_document, markdown_document, notes
from tada_bench.tables.layout import layout
from tada_bench.tables.sheets import comparisons_csv, overall_csv, results_csv, scores_csv
from tada_bench.verdicts import HEAD, by_concept, summaries
from tada_core.audio import Audio
from tada_core.errors import StoreError
from tada_core.localization.heatmap import plot_impacts
from tada_core.localization.impact import Impact


@frozen
class Report:
    """A written page.

    Attributes:
        page: its index.html.
        findings: what its tables show.
        failures: what is missing in it: label, error and traceback.
    """

    page: Path
    findings: Findings
    failures: tuple[Mapping[str, Any], ...]


def report(folder: str | Path, progress: Callable[[int, int], None] | None = None) -> Report:
    """Write `folder`/report.

    Args:
        folder: a store that `run_suite` filled.
        progress: called with clips copied and clips in all.

    Raises:
        StoreError: it is no store, of another version, or lacks its suite's plan; or the disk is full.
        SpecError: its suite cannot be read.
    """
    store = Store.read(folder)
    suite, plan = Suite.load(store.path("suite.json")), Plan.load(store.path("plan.json"))
    _check(store, suite, plan)
    scores = {name: read_points(store, plan, name, suite.preservation, suite.quality) for name in suite.alignment}
    found = find(suite, plan, scores)
    paper = beside(suite.name, plan.about["model"]["name"], found.results)
    impacts = read_impacts(store, plan)
    every = [score for name in suite.alignment for score in scores[name]]
    target = store.path("report")
    with disk(store.folder), new_folder(target) as temporary:
        write_tables(temporary, found, every)
        (temporary / "tables.md").write_text(markdown_document(found, paper))
        write_figures(temporary, suite, plan, found.results, impacts)
        write_clips(temporary, store, every, progress)
        data = page_data(suite, plan, store, found.results, every, impacts)
        names = sorted(path.name for path in temporary.glob("*.*") if path.suffix != ".png")
        (temporary / "index.html").write_text(render(data, found, paper, names))
        shutil.rmtree(target, ignore_errors=True)
    return Report(target / "index.html", found, tuple(store.failures()))


def _check(store: Store, suite: Suite, plan: Plan) -> None:
    """Refuse the plan of an earlier suite: the run of the present one was stopped before it had its own."""
    units = plan.about["units"]
    known = {*units["alignment"], *units.get("quality", ()), *plan.about["concepts"]}
    if lost := [name for name in (*suite.concepts, *suite.alignment, *suite.quality) if name not in known]:
        why = f"has no plan with {', '.join(lost)} yet: its last run was stopped"
        raise StoreError(f"{store.folder} {why}; run `tada bench` on it again")


def read_impacts(store: Store, plan: Plan) -> dict[str, Impact]:
    """The localisation of every concept that has one."""
    paths = {name: store.path("impacts", f"{key}.json") for name, key in plan.about["impacts"].items()}
    return {name: Impact.from_json(path.read_text()) for name, path in paths.items() if path.exists()}


def write_tables(folder: Path, found: Findings, scores: Iterable[Score]) -> None:
    """results.csv, scores.csv, tables.tex; overall.csv and comparisons.csv where there is anything to compare."""
    (folder / "results.csv").write_text(results_csv(found.results))
    (folder / "scores.csv").write_text(scores_csv(scores))
    (folder / "tables.tex").write_text(latex_document(found.results))
    if found.overall:
        (folder / "overall.csv").write_text(overall_csv(found.arms))
    if found.comparisons:
        (folder / "comparisons.csv").write_text(comparisons_csv(found.comparisons))


def write_figures(
    folder: Path, suite: Suite, plan: Plan, found: Sequence[ArmResult], impacts: Mapping[str, Impact]
) -> None:
    """heat, curves-<metric> and overview (both, by the first metric), each as .svg and .png.

    A concept whose whole prompt swap changed nothing has no impact to draw.
    """
    units = plan.about["units"]
    drawn = [impact for impact in impacts.values() if np.isfinite(impact.values).all()]
    for ending in ("svg", "png"):
        if drawn:
            plot_impacts(drawn, folder / f"heat.{ending}")
        for metric in suite.alignment:
            own = [result for result in found if result.metric == metric]
            axes = units["alignment"][metric], f"change ({suite.preservation}) [{units['preservation']}]"
            if own:
                plot_curves(own, *axes, folder / f"curves-{metric}.{ending}")
            if own and drawn and metric == suite.alignment[0]:
                plot_overview(drawn, own, *axes, folder / f"overview.{ending}")


def write_clips(
    folder: Path, store: Store, scores: Sequence[Score], progress: Callable[[int, int], None] | None
) -> None:
    """audio/<identity>.flac and pictures/<identity>.png of every scored clip."""
    (folder / "audio").mkdir()
    (folder / "pictures").mkdir()
    wanted = dict.fromkeys(score.point.identity for score in scores)
    for count, identity in enumerate(wanted, 1):
        _link(store.clips[identity], folder / "audio" / f"{identity}.flac")
        draw(Audio.load(store.clips[identity]), folder / "pictures" / f"{identity}.png")
        if progress is not None:
            progress(count, len(wanted))


def _link(source: Path, target: Path) -> None:
    """A second name for a file that never changes; a copy where the disk cannot do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def render(data: Mapping[str, Any], found: Findings, paper: Beside | None, names: Sequence[str]) -> str:
    """The HTML with style, script and data inside, because a page opened from a disk may not load them.

    Args:
        data: of `page_data`.
        found: what the tables show.
        paper: published numbers.
        names: files beside the page, linked at its end.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    loader = PackageLoader("tada_bench.page", "assets")
    environment = Environment(
        loader=loader, autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    assets = files("tada_bench.page") / "assets"
    # "</" inside JSON would end the script element early.
    inline = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return environment.get_template("index.html").render(
        data=data,
        inline=inline,
        style=(assets / "page.css").read_text(),
        script=(assets / "page.js").read_text(),
        names=names,
        numbers={metric: layout(found.of(metric).results) for metric in data["metrics"]},
        notes=notes(found.results),
        overall={name: (tables.said(one, found.ceiling), tables.rows(one)) for name, one in found.overall.items()},
        together=tables.HEAD,
        compared=HEAD[1:],
        differences={
            metric: (summaries(own, found.ceiling), by_concept(own))
            for metric in data["metrics"]
            if (own := found.of(metric).comparisons)
        },
        paper=paper,
        link=LINK,
    )
