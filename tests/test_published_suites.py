"""The papers' suites: what they ask for, what stands in on etude, and that each runs end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bench_fakes
import pytest
from attrs import evolve
from test_ace_step_lyrics import build

import tada_registry as tada
from tada_ace_step import lyrics as reader
from tada_ace_step.adapter import AceStep
from tada_bench import published
from tada_bench.adapt import adapted
from tada_bench.arm import REACH
from tada_bench.budget import budget
from tada_bench.page.build import report
from tada_bench.plan import Plan
from tada_bench.results import read_points
from tada_bench.run import check, run_suite
from tada_bench.suite import Arm, Fitting, Instead, Suite
from tada_bench.tools import Installed
from tada_core import Settings, SteeringMethod
from tada_core.errors import CheckpointError, MissingExtraError, SpecError
from tada_etude import decoder
from tada_etude.phase import griffin_lim

SUITES = (published.LOCALIZATION, published.TABLE2, published.TABLE3, published.V2, published.FACCHIANO)
STEERING = SUITES[1:]
QUICK: dict[str, dict[str, Any]] = {
    "concept-sliders": {"iterations": 2},
    "sae": {"k": 4, "top": 4, "batch": 16, "every": 2, "epochs": 1},
}


@pytest.fixture(scope="module")
def etude() -> Any:
    """The embedded model."""
    return tada.load_model("etude")


named = pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)


def small(suite: Suite, concepts: int = 1) -> Suite:
    """One concept, prompt and pair, two strengths and two steps."""
    arms = tuple(
        evolve(arm, strengths=(-1.0, 0.5), options={**arm.options, **QUICK.get(arm.method, {})})
        for arm in suite.arms
        if arm.layers not in ("0%", "25%", "75%", "100%")
    )
    if len(arms) > 10:
        # One arm per method: every pair of method and layers is in another suite.
        arms = tuple({arm.method: arm for arm in reversed(arms)}.values())
    how = suite.localization
    return evolve(
        suite.resized(prompts=1, seeds=1),
        concepts=suite.concepts[:concepts],
        arms=arms,
        localization=None if how is None else evolve(how, pairs=1, seeds=(0,)),
        fitting=Fitting(prompts=1, reach=1),
        settings=Settings(seconds=1.5, steps=2),
        resamples=5,
    )


def method(arm: Arm, concept: str) -> SteeringMethod:
    """The real method of an arm."""
    return tada.get_method(arm.method, **arm.options_for(concept))


@named
def test_a_suite_survives_json_and_is_registered(suite: Suite, tmp_path: Path) -> None:
    assert Suite.load(suite.save(tmp_path / "suite.json")) == suite
    assert tada.get_suite(suite.name) == suite


@named
def test_a_suite_names_concepts_and_methods_that_exist_and_have_prompts_enough(suite: Suite) -> None:
    for name in suite.concepts:
        concept = tada.get_concept(name)
        if suite.arms:
            assert len(concept.evaluation) >= suite.prompts
            assert len(concept.prompts) >= suite.fitting.prompts
        for arm in suite.steered(name):
            assert method(arm, name).name == arm.method


@pytest.mark.parametrize("suite", SUITES[:4], ids=lambda suite: suite.name)
def test_the_published_numbers(suite: Suite) -> None:
    how = suite.localization
    assert how is not None and suite.model == "ace-step" and suite.alignment == ("muq", "clap")
    assert suite.preservation == "lpaps"
    if not suite.arms:
        assert (how.pairs, how.seeds, how.base, len(suite.concepts)) == (256, tuple(range(8)), "opposite", 15)
        assert {how.reader(name) for name in suite.concepts if "male" in name} == {"clap"}
        assert {how.reader(name) for name in suite.concepts if "male" not in name} == {"muq"}
        return
    assert (suite.prompts, suite.seeds, suite.fitting.prompts, how.known) == (100, (0,), 50, (6, 7))
    assert suite.quality == tuple(f"aesthetics-{axis}" for axis in ("ce", "cu", "pc", "pq"))
    assert {entry.name for entry in tada.entries("metric")} >= set(suite.quality)
    for arm in suite.arms:
        assert len(arm.strengths) == 31
        assert arm.strengths[0] == -1 and arm.strengths[-1] == 1
        assert arm.unit == (None if arm.method == suite.ceiling else REACH)


def test_clips_of_table_2_are_counted() -> None:
    found = budget(published.TABLE2, 24, method)
    # 4 concepts; 3 arms of CAA: 50 pairs, and 4 prompts x (3 + 2 x 5) for the reach; 100 prompts x (5 arms x 30 + 1).
    assert (found.localize, found.fit, found.evaluate) == (0, 4 * 3 * (100 + 52), 4 * 100 * 151)


def test_clips_of_figure_3_are_counted() -> None:
    assert budget(published.LOCALIZATION, 24, method).localize == 15 * 256 * 8 * 26


@named
def test_the_docs_say_what_a_suite_costs(suite: Suite) -> None:
    """MusicGen small and ACE-Step have 24 layers each."""
    page = Path(__file__).parents[1] / "docs" / "benchmark.md"
    row = next(line for line in page.read_text().split("\n") if line.startswith(f"| `{suite.name}` "))
    assert row.endswith(f" {budget(suite, 24, method).total:,} |")


def test_arms_leave_out_what_they_cannot_steer() -> None:
    arms = {concept: [arm.method for arm in published.V2.steered(concept)] for concept in published.V2.concepts}
    assert "token-embedding" in arms["mood"] and "token-embedding" not in arms["piano"]
    # 13 arms, one of them not for piano and violin.
    assert {len(found) for found in arms.values()} == {12, 13}
    words = method(published.TOKENS, "vocal-gender")
    assert words.anchor == "vocal" and method(published.TOKENS, "mood").anchor == "song"  # type: ignore[attr-defined]


class Bare(Installed):
    """The installed plugins without a metric."""

    def get_metric(self, name: str) -> Any:
        raise MissingExtraError(f"metric '{name}' needs {name}: pip install \"tada-core[{name}]\"")

    def load_model(self, name: str, source: str | None = None, **options: Any) -> Any:
        pytest.fail("a model was loaded")


class Lost(bench_fakes.Probe):
    """A metric whose weights are read at the first score, and are not there."""

    def score(self, clips: Any, against: Any = None) -> Any:
        raise CheckpointError(f"no weights of {self.name}")


@named
def test_a_suite_whose_metrics_are_not_installed_is_refused_before_any_work(suite: Suite, tmp_path: Path) -> None:
    with pytest.raises(MissingExtraError) as told:
        run_suite(suite, tmp_path / "store", tools=Bare())
    for name in (*suite.alignment, suite.preservation, *suite.quality):
        assert f'pip install "tada-core[{name}]"' in str(told.value)
    assert not (tmp_path / "store").exists()


@named
def test_a_suite_whose_weights_are_missing_is_refused_before_any_work(suite: Suite, tmp_path: Path) -> None:
    class Tools(Bare):
        def get_metric(self, name: str) -> Any:
            kinds = {"lpaps": "preservation", **dict.fromkeys(suite.quality, "quality")}
            return Lost(name, kinds.get(name, "alignment"))

    with pytest.raises(CheckpointError, match="no weights of muq"):
        run_suite(suite.resized(prompts=1), tmp_path / "store", tools=Tools())
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("suite", STEERING, ids=lambda suite: suite.name)
def test_what_stands_in_on_etude_is_said(suite: Suite) -> None:
    found, said = adapted(suite, "etude")
    told = "\n".join(said)
    assert "measured by probes, listener and listener-lpaps instead of muq, clap and lpaps" in told
    assert (found.alignment, found.preservation, found.prompts) == (("probes", "listener"), "listener-lpaps", 24)
    assert found.quality == ("listener-quality",)
    assert "aesthetics-ce, aesthetics-cu, aesthetics-pc, aesthetics-pq" in told
    for name in set(suite.concepts) - set(published.ON_ETUDE.concepts):
        assert name in told
    for name in found.concepts:
        assert f"{name} for " in told
    assert found.localization is not None and not found.localization.known
    check(found, Installed())


def test_quality_is_replaced_only_where_it_is_measured() -> None:
    heard = evolve(published.ON_ETUDE, quality=("beauty",))
    found, said = adapted(evolve(published.TABLE2, instead=heard), "etude")
    assert found.quality == ("beauty",)
    assert f"quality by beauty instead of {', '.join(published.AESTHETICS)}" in said
    deaf = evolve(published.ON_ETUDE, quality=())
    found, said = adapted(evolve(published.TABLE2, instead=deaf), "etude")
    assert found.quality == ()
    assert f"no quality, because nothing stands in for {', '.join(published.AESTHETICS)}" in said
    assert adapted(evolve(published.TABLE2, quality=(), instead=heard), "etude")[0].quality == ()
    assert adapted(published.TABLE2, "stable-audio-open")[0].quality == published.AESTHETICS


def test_another_model_keeps_the_metrics_but_not_the_known_layers() -> None:
    found, said = adapted(published.TABLE2, "stable-audio-open")
    assert (found.model, found.alignment, found.concepts) == ("stable-audio-open", ("muq", "clap"), published.FOUR)
    assert found.localization is not None and found.localization.known == ()
    assert said == ("local layers are localised: 6, 7 are known of ace-step alone",)
    assert adapted(published.TABLE2, "ace-step") == (published.TABLE2, ())


def test_a_suite_without_a_stand_in_is_refused() -> None:
    suite = evolve(published.TABLE2, instead=Instead(models=("etude",), concepts={"drums": "drums"}))
    with pytest.raises(SpecError, match="nothing stands in"):
        adapted(suite, "etude")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """One strength a side where a reach is measured, and a cheap sound."""
    monkeypatch.setattr(
        decoder, "griffin_lim", lambda frames, sizes, _, momentum: griffin_lim(frames, sizes, 1, momentum)
    )
    for suite in SUITES:
        for arm in suite.arms:
            monkeypatch.setattr(tada.get_method(arm.method).artifact, "grid", (1.0,))


@named
@pytest.mark.usefixtures("few")
def test_a_suite_runs_on_etude(suite: Suite, tmp_path: Path, etude: Any) -> None:
    wanted, said = small(adapted(suite, "etude")[0]), list[str]()
    store = run_suite(wanted, tmp_path / "store", etude, announce=said.append)
    assert store.failures() == []
    assert said[0].startswith("at most ") and said[1].startswith("about ")
    plan = Plan.load(tmp_path / "store" / "plan.json")
    assert {point.arm for point in plan.points} == {arm.name for arm in wanted.arms}
    for score in read_points(store, plan, "probes", "spectral"):
        assert bool(score.preservation) == bool(score.point.strength), score.point
    if not suite.arms:
        made = report(tmp_path / "store")
        assert made.findings.results == ()
        assert "Where each concept lives" in made.page.read_text()


@pytest.mark.usefixtures("few")
def test_a_suite_runs_on_a_small_random_ace_step(tmp_path: Path, shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The paper's own concept, with its lyrics, read by metrics that need no weights."""
    words = ["<unk>", "a", "[en]", "[inst]", "[SPACE]", "<line>"]
    monkeypatch.setattr(reader, "START", 10)
    model = AceStep.load(str(shelf.folder("ace-step")), vocabulary=build(tmp_path / "words.json", words, words[2:5]))
    suite = evolve(
        small(published.TABLE2),
        concepts=("mood",),
        alignment=("loudness",),
        preservation="spectral",
        quality=("beauty",),
        localization=evolve(published.TABLE2.localization, known=(1,)),
        settings=Settings(seconds=1.0, steps=2),
    )

    class Tools(Installed):
        def get_metric(self, name: str) -> Any:
            return bench_fakes.METRICS[name]

    store = run_suite(suite, tmp_path / "store", model, tools=Tools())
    assert store.failures() == []
    # Plain; PCI on all layers and on the local one, CAA on all, the rest and the local one, two strengths each.
    assert len(store.clips) == 11
    lyrics = {row["row"]["settings"]["lyrics"] for path in store.folder.rglob("rows.json") for row in read_rows(path)}
    assert lyrics == {"[inst]"}
    made = report(tmp_path / "store")
    assert all(result.quality is not None and result.quality.mean.value is not None for result in made.findings.results)
    text = made.page.read_text()
    # The suite is the paper's, on the paper's model: published change of CAA on all layers, then the run's own.
    assert "Beside the paper" in text and "3.678 / " in (made.page.parent / "tables.md").read_text()


def read_rows(path: Path) -> Any:
    """What a cell holds."""
    return json.loads(path.read_text())["rows"]


def test_lyrics_that_cannot_be_read_are_told_before_any_clip(tmp_path: Path, shelf: Any) -> None:
    class Tools(Installed):
        def get_metric(self, name: str) -> Any:
            return bench_fakes.METRICS[name]

        def run(self, *given: Any, **options: Any) -> Any:
            pytest.fail("a clip was made")

    suite = evolve(small(published.TABLE2), alignment=("loudness",), preservation="spectral", quality=("beauty",))
    suite = evolve(suite, localization=evolve(suite.localization, known=(1,)))
    with pytest.raises(CheckpointError, match="vocabulary"):
        run_suite(suite, tmp_path / "store", shelf.load("ace-step"), tools=Tools(), announce=print)
