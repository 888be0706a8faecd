"""Interference: cosines, effects and additivity, on artefacts whose effects are known exactly and on real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import chain, combinations
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import tiny
import torch
from attrs import evolve
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import tada_registry as tada
from tada_bench.app import main
from tada_caa.caa import CAA, CAAArtifact
from tada_core import (
    Ablate,
    AddVector,
    Artifact,
    Audio,
    Clip,
    Concept,
    Metric,
    Row,
    SAEDecodeAdd,
    Schedule,
    Settings,
    ShiftTokens,
    Site,
    SparseAutoencoder,
    TensorRef,
)
from tada_core.errors import ArtifactError, DoseError, SpecError, UnknownNameError
from tada_core.interference import composition
from tada_core.interference.composition import interference, names, shared
from tada_core.interference.figure import figure
from tada_core.interference.interference import Interference
from tada_core.interference.overlap import overlap
from tada_core.interference.trials import around
from tada_core.maths.interference import changes, shares
from tada_pci.pci import PCI

FITTED, SHARED = ("a calm song", "a song"), ("the evening", "a tune", "the organ")
TEMPO = Concept("tempo", "fast {p}", "slow {p}", FITTED, ("a loud tune", *SHARED))
TONE = Concept("tone", "bright {p}", "dark {p}", FITTED, (*SHARED[::-1], "a soft tune"))
DRUMS = Concept("drums", "{p} drums", "{p} soft", FITTED, SHARED)
CONCEPTS = (TEMPO, TONE, DRUMS)
EFFECTS = np.array([[1.0, 0.25, -0.5], [0.0, 2.0, 0.125], [0.75, 0.0, 4.0]])
"""What a strength of 1 of lever j does to the score of concept i."""
SWAPS = {
    "fast": (0, 1.5),
    "slow": (0, -0.5),
    "bright": (1, 3.0),
    "dark": (1, -1.0),
    "drums": (2, 0.5),
    "soft": (2, -7.5),
}
"""What a word of a prompt does to the score of one concept."""
SWAP = (2.0, 4.0, 8.0)


class Lever(Artifact):
    """Adds its own vector at every layer."""

    method, units = "lever", ("raw", "norm")

    def interventions(self, strength: float, unit: str) -> tuple[AddVector, ...]:
        return tuple(AddVector(Site("out", layer), self.vector, strength) for layer in self.layers)

    @property
    def vector(self) -> TensorRef:
        return TensorRef.of(self.tensors["v"])


def lever(concept: Concept, vector: torch.Tensor, layers: Sequence[int] = (0, 1, 2)) -> Lever:
    return Lever("tiny", 32, concept, layers, 4, {}, {"v": vector})


LEVERS = tuple(lever(concept, row) for concept, row in zip(CONCEPTS, torch.eye(3, 32), strict=True))


class Meter(Metric):
    """Reads the sample that stands for a concept."""

    name: ClassVar[str] = "meter"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "alignment"
    unit: ClassVar[str] = "marks"

    def score(self, clips: Sequence[Audio], against: Any = None) -> np.ndarray:
        return np.array([float(clip.samples[0, CONCEPTS.index(against)]) for clip in clips])


class Loudness(Meter):
    """Mean absolute sample."""

    name: ClassVar[str] = "loudness"

    def score(self, clips: Sequence[Audio], against: Any = None) -> np.ndarray:
        return np.array([float(clip.samples.abs().mean()) for clip in clips])


class Distance(Meter):
    name: ClassVar[str] = "distance"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "preservation"


def level(row: Row) -> np.ndarray:
    """Score of every concept: the prompt's and seed's own, a swap's, and that of the levers, all eighths."""
    own = np.array([len(row.prompt) / 8, row.seed % 7 * 0.5, 3.0])
    for word in row.text.split():
        if word in SWAPS and word not in row.prompt.split():
            concept, amount = SWAPS[word]
            own[concept] += amount
    for one in {item.vector.digest: item for item in row.interventions}.values():
        (place,) = torch.nonzero(one.vector.tensor()).flatten().tolist()
        own += one.strength * float(one.vector.tensor()[place]) * EFFECTS[:, place]
    return own


@pytest.fixture
def instrument(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Row]]:
    """Plays rows without a model; gives the rows that were played."""

    def tune(response: Callable[[Row], np.ndarray] = level) -> list[Row]:
        played: list[Row] = []

        def play(model: Any, rows: Sequence[Row], **_: Any) -> list[Clip]:
            played.extend(rows)
            heard = [torch.tensor(response(row), dtype=torch.float32)[None] for row in rows]
            return [Clip(row, Audio(one, 8), one) for row, one in zip(rows, heard, strict=True)]

        monkeypatch.setattr(composition, "run", play)
        return played

    return tune


def test_effects_that_add_are_found_exactly_and_leave_no_gap(model: tiny.Tiny, instrument: Any) -> None:
    instrument()
    found = interference(model, LEVERS, Meter(), strength=(0.5, 1.0, 2.0), prompts=3, seeds=(0, 1))
    up = EFFECTS * (0.5, 1.0, 2.0)
    more, less, beside, gap = found.changes
    assert np.array_equal(found.swap, SWAP)
    assert np.allclose(more, up, atol=1e-6)
    assert np.allclose(less, -up, atol=1e-6)
    off = ~np.eye(3, dtype=bool)
    assert np.allclose(beside[off], up[off], atol=1e-6)
    assert np.allclose(gap[off], 0.0, atol=1e-6)
    assert np.isnan(gap[~off]).all()
    assert np.allclose(found.shares[0], up / np.array(SWAP)[:, None], atol=1e-6)


def test_every_clip_is_compared_with_the_plain_one_of_its_own_noise(model: tiny.Tiny, instrument: Any) -> None:
    """Prompts and seeds differ by more than any lever does; paired, their differences cancel to a point."""
    instrument()
    found = interference(model, LEVERS, Meter(), prompts=3, seeds=(0, 1, 5))
    assert found.base.std(axis=(1, 2))[:2].min() > 0.2
    low, high = found.intervals
    assert np.nanmax(high - low) < 1e-6
    assert np.array_equal(found.clear[0], EFFECTS != 0)


def test_a_ceiling_is_a_gap_of_what_it_cuts_off(model: tiny.Tiny, instrument: Any) -> None:
    def capped(row: Row) -> np.ndarray:
        plain = level(evolve(row, interventions=()))
        return np.minimum(level(row), plain + np.array([1.0, np.inf, np.inf]))

    instrument(capped)
    found = interference(model, LEVERS[:2], Meter(), strength=(0.875, 1.0), prompts=2)
    _, _, beside, gap = found.changes
    assert beside[0, 1] == pytest.approx(0.125, abs=1e-6)
    assert gap[0, 1] == pytest.approx(-0.125, abs=1e-6)
    assert gap[1, 0] == pytest.approx(0.0, abs=1e-6)
    (row, _) = found.table("together")
    assert (row["alone"], row["together"], row["gap"]) == pytest.approx((0.4375, 0.5, -0.0625), abs=1e-6)


def test_an_interval_is_that_of_differing_prompts(model: tiny.Tiny, instrument: Any) -> None:
    """One prompt in three reacts: the effect is its mean, and the interval holds 0."""

    def moody(row: Row) -> np.ndarray:
        return level(row if row.prompt == "a tune" else evolve(row, interventions=()))

    instrument(moody)
    found = interference(model, LEVERS[:2], Meter(), strength=1.0, prompts=3)
    low, high = found.intervals
    assert found.changes[0, 0, 0] == pytest.approx(1 / 3, abs=1e-6)
    assert (low[0, 0, 0], high[0, 0, 0]) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert not found.clear.any()


def test_a_single_clip_proves_nothing(model: tiny.Tiny, instrument: Any) -> None:
    instrument()
    assert not interference(model, LEVERS, Meter(), prompts=1).clear.any()


def test_a_swap_that_does_nothing_leaves_shares_undefined() -> None:
    ones = np.ones((2, 2))
    changed = changes(ones[0] * 0, ones, ones, ones)
    assert np.array_equal(np.isnan(shares(changed, np.array([0.0, 2.0])))[0], [[True, True], [False, False]])


def test_the_rows_are_at_most_one_and_four_each_and_the_pairs(model: tiny.Tiny, instrument: Any) -> None:
    played = instrument()
    interference(model, LEVERS, Meter(), prompts=2, seeds=(0, 1))
    assert len(played) == len(set(played)) == 2 * 2 * (1 + 4 * 3 + 3)
    assert {row.prompt for row in played} == set(SHARED[:2])
    pairs = {row.interventions for row in played if len(row.interventions) == 6}
    assert pairs == {(*a.at(0.5), *b.at(0.5)) for a, b in combinations(LEVERS, 2)}


def test_artefacts_of_one_concept_share_its_prompt_swaps(model: tiny.Tiny, instrument: Any) -> None:
    played = instrument()
    twice = (LEVERS[0], lever(TEMPO, torch.eye(3, 32)[1]))
    found = interference(model, twice, Meter(), prompts=1)
    assert len(played) == 1 + 4 * 2 + 1 - 2
    assert found.names == ("lever tempo", "lever tempo 2")
    assert np.array_equal(found.swap, [2.0, 2.0])
    assert np.allclose(found.changes[0], [[0.5, 0.125], [0.5, 0.125]], atol=1e-6)


def test_neutral_templates_go_one_inside_the_other_each_once() -> None:
    one, two = evolve(TEMPO, neutral="medium {p}"), evolve(TONE, neutral="{p}, plain")
    three = evolve(DRUMS, neutral="medium {p}")
    assert around(CONCEPTS) == "{p}"
    assert around(CONCEPTS, TONE, TONE.positive) == "bright {p}"
    assert around([one, two, three]) == "medium {p}, plain"
    assert around([one, two, three], two, two.negative) == "dark medium {p}"
    assert around([one, two, three], one, one.positive) == "fast {p}, plain"


def test_prompts_are_the_evaluation_prompts_that_all_share() -> None:
    assert shared(CONCEPTS, 3) == SHARED
    with pytest.raises(SpecError, match=r"4 prompts .* tempo, tone, drums share 3 .* prompts="):
        shared(CONCEPTS, 4)
    with pytest.raises(SpecError, match="share 0"):
        shared([TEMPO, evolve(TONE, evaluation=("the piano",))], 1)


def test_prompts_of_ones_own(model: tiny.Tiny, instrument: Any) -> None:
    played = instrument()
    assert interference(model, LEVERS[:2], Meter(), prompts=("a piano tune",)).prompts == ("a piano tune",)
    assert {row.prompt for row in played} == {"a piano tune"}


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"artifacts": LEVERS[:1]}, SpecError, "two or more"),
        ({"artifacts": (LEVERS[0], evolve(LEVERS[1], model="other"))}, ArtifactError, "fitted on 'other'"),
        ({"strength": (1.0,)}, SpecError, "3 artefacts but 1 strengths"),
        ({"seeds": ()}, SpecError, "seeds"),
        ({"prompts": ()}, SpecError, "no prompts"),
        ({"prompts": 0}, SpecError, "0 prompts"),
        ({"unit": "dose"}, DoseError, "no dose"),
        ({"unit": "furlong"}, SpecError, "no unit 'furlong'"),
        ({"readout": Distance()}, SpecError, "alignment metric"),
        ({"readout": tada.get_metric("probes")}, SpecError, "has no probe"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_any_clip(
    model: tiny.Tiny, instrument: Any, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    played = instrument()
    asked = {"artifacts": LEVERS, "readout": Meter(), "prompts": 2, **options}
    with pytest.raises(error, match=words):
        interference(model, **asked)
    assert not played


V = torch.randn(32, generator=torch.Generator().manual_seed(0))
OUT = Site("out", 1)


def add(vector: torch.Tensor, strength: float = 1.0, **options: Any) -> AddVector:
    return AddVector(OUT, TensorRef.of(vector), strength, **options)


def test_cosines_of_equal_opposite_and_orthogonal_vectors() -> None:
    w = torch.cat([V[16:], -V[:16]])
    mixed = 3 * V / V.norm() + 4 * (w - w @ V / V.norm() ** 2 * V) / (w - w @ V / V.norm() ** 2 * V).norm()
    assert overlap([add(V)], [add(2 * V, 0.1)], 4) == pytest.approx(1.0)
    assert overlap([add(V)], [add(-V)], 4) == pytest.approx(-1.0)
    assert overlap([add(V)], [add(V, -2.0)], 4) == pytest.approx(-1.0)
    assert overlap([add(V)], [add(mixed)], 4) == pytest.approx(0.6, abs=1e-6)


def test_vectors_meet_only_at_the_same_place_time_branch_and_kind() -> None:
    def met(other: Any) -> float:
        return overlap([add(V, schedule=Schedule(0.0, 0.5))], [other], 4)

    assert met(add(V, branch="both")) == pytest.approx(1.0)
    assert met(add(V, schedule=Schedule(0.25, 1.0))) == pytest.approx(1.0)
    apart = (
        evolve(add(V), site=Site("out", 2)),
        evolve(add(V), site=Site("residual", 1)),
        add(V, branch="uncond"),
        add(V, unit="scale"),
        add(V, schedule=Schedule(0.5, 1.0)),
        add(V, 0.0),
        add(0 * V),
        Ablate(OUT, TensorRef.of(V)),
        ShiftTokens("{p}", TensorRef.of(V), 1.0),
    )
    assert np.isnan([met(other) for other in apart]).all()


def test_cosines_are_means_over_the_steps_and_layers_that_both_share() -> None:
    w = torch.cat([V[16:], -V[:16]])
    by_step = torch.stack([V, -V, V, V])
    assert overlap([add(V)], [add(by_step)], 4) == pytest.approx(0.5)
    assert overlap([add(V, schedule=Schedule(0.5))], [add(by_step)], 4) == pytest.approx(1.0)
    assert overlap([add(V)], [add(V, schedule=Schedule(first=3.0, last=-1.0))], 4) == pytest.approx(1.0)
    assert overlap([add(V)], [add(V, schedule=Schedule(first=1.0, last=-3.0))], 4) == pytest.approx(-1 / 3)
    both = [add(V), evolve(add(V), site=Site("out", 2))]
    assert overlap(both, [add(V), evolve(add(-V), site=Site("out", 2))], 4) == pytest.approx(0.0)
    half = float(torch.nn.functional.cosine_similarity(V, (V + w) / 2, dim=0))
    assert overlap([add(torch.stack([V, w]))], [add(V)], 4) == pytest.approx(
        (1 + half + 2 * float(torch.nn.functional.cosine_similarity(V, w, dim=0))) / 4, abs=1e-6
    )


def test_vectors_of_autoencoders_and_of_words_count_as_well() -> None:
    rows = torch.stack([V, V.roll(1), V.roll(2)])
    parts = (TensorRef.of(one) for one in (rows.T, torch.zeros(3), rows, torch.zeros(32)))
    sae = SAEDecodeAdd(OUT, SparseAutoencoder(*parts, k=2), (0, 2), (1.0, 0.5), 1.0)  # type: ignore[misc]
    assert overlap([sae], [add(V + 0.5 * V.roll(2))], 4) == pytest.approx(1.0)
    word = ShiftTokens("{p}", TensorRef.of(V), 1.0)
    assert overlap([word], [evolve(word, strength=-3.0)], 4) == pytest.approx(-1.0)
    assert np.isnan(overlap([word], [evolve(word, word="tune")], 4))


def test_cosines_of_artefacts_are_symmetric_with_ones_and_a_blank(model: tiny.Tiny, instrument: Any) -> None:
    instrument()
    levers = (LEVERS[0], lever(TONE, -torch.eye(3, 32)[0]), lever(DRUMS, torch.eye(3, 32)[2], layers=()))
    found = interference(model, levers, Meter(), prompts=1)
    nan = float("nan")
    assert np.array_equal(found.cosines, [[1, -1, nan], [-1, 1, nan], [nan, nan, nan]], equal_nan=True)


@pytest.fixture(scope="module")
def fitted(model: tiny.Tiny) -> tuple[CAAArtifact, ...]:
    made = (CAA(pairs=2).fit(model, concept, (1, 2)) for concept in (TEMPO, TONE))
    return tuple(one for one in made if isinstance(one, CAAArtifact))


def test_no_strength_changes_nothing_and_some_changes_something(model: tiny.Tiny, fitted: Any) -> None:
    seen: list[tuple[int, int]] = []
    nothing = interference(model, fitted, Loudness(), strength=0.0, prompts=2, seeds=(0, 1), batch_size=1)
    assert np.nanmax(np.abs(nothing.changes)) == 0
    some = interference(model, fitted, Loudness(), prompts=2, seeds=(0, 1), progress=lambda *now: seen.append(now))
    assert np.nanmin(np.abs(some.changes)) > 1e-5
    assert seen[-1] == (2 * 2 * (1 + 4 * 2 + 1),) * 2
    assert np.allclose(some.base, nothing.base, rtol=1e-4)


def test_an_artefact_beside_itself_is_twice_itself(model: tiny.Tiny, fitted: Any) -> None:
    """The same vector twice at s is not one at 2 s: each addition is brought back to the frame's norm."""
    twice = interference(model, (fitted[0], fitted[0]), Loudness(), prompts=2)
    assert np.allclose(twice.cosines, 1.0)
    assert np.ptp(twice.changes[0]) == 0
    assert twice.changes[2, 0, 1] == twice.changes[2, 1, 0]


def test_methods_mix_and_what_has_no_vector_has_no_cosine(model: tiny.Tiny, fitted: Any) -> None:
    found = interference(model, (fitted[0], PCI().fit(model, TONE)), Loudness(), prompts=1, settings=Settings(steps=3))
    assert np.isnan(found.cosines[0, 1])
    assert found.names == ("caa tempo", "pci tone")
    assert "null" in found.to_json()


def test_json_keeps_every_number(model: tiny.Tiny, instrument: Any) -> None:
    instrument()
    found = interference(model, LEVERS, Meter(), prompts=2, seeds=(3, 4), unit="norm")
    again = Interference.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    for part in ("effects", "together", "cosines"):
        assert again.table(part) == found.table(part)
    assert json.loads(found.to_json())["both"][0][0] == [[None, None], [None, None]]
    assert (again.scales, again.seeds, again.units) == (("norm",) * 3, (3, 4), ("marks",) * 3)
    with pytest.raises(SpecError, match="not an interference result"):
        Interference.from_json('{"type": "Impact"}')
    with pytest.raises(UnknownNameError, match="effects"):
        found.table("effect")


def test_the_table_of_effects_names_what_was_turned(model: tiny.Tiny, instrument: Any) -> None:
    instrument()
    rows = interference(model, LEVERS, Meter(), prompts=2).table()
    assert len(rows) == 3 * 2 * 3
    (row,) = (row for row in rows if (row["turned"], row["reads"]) == ("lever drums -0.5 raw", "tempo"))
    assert row["change"] == pytest.approx(0.25)
    assert row["share"] == pytest.approx(0.125)
    assert row["unit"] == "marks"


def ticks_in_view(axis: Any) -> list[Text]:
    """Labels of an axis, without those beyond its ends, which are never drawn."""
    low, high = sorted(axis.get_view_interval())
    return [
        tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high and tick.label1.get_visible()
    ]


def labels(drawn: Figure) -> list[Text]:
    """Every text of a picture but its title."""
    texts: list[Text] = []
    for axes in drawn.axes:
        ticks = [ticks_in_view(axis) for one in (axes, *axes.child_axes) for axis in (one.xaxis, one.yaxis)]
        texts += [*chain(*ticks), axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts]
    return [text for text in texts if text.get_text()]


@pytest.mark.parametrize(("count", "method"), [(2, "difference-in-means-of-residuals"), (2, "caa"), (5, "caa")])
def test_no_label_of_the_picture_meets_another(model: tiny.Tiny, instrument: Any, count: int, method: str) -> None:
    instrument()
    found = interference(model, [LEVERS[i % 3] for i in range(count)], Meter(), prompts=1)
    named = evolve(found, names=tuple(f"{method} brightness {i}" for i in range(count)))
    drawn = figure(named)
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    boxes = {text: text.get_window_extent(canvas.get_renderer()) for text in labels(drawn)}
    assert sum(text.get_text().startswith(method) for text in boxes) > 3 * count
    for (one, at), (other, there) in combinations(boxes.items(), 2):
        assert not at.overlaps(there), (one.get_text(), other.get_text())
    for text, at in boxes.items():
        assert drawn.bbox.x0 <= at.x0 and at.x1 <= drawn.bbox.x1, text.get_text()


def test_the_picture_is_written(model: tiny.Tiny, fitted: Any, tmp_path: Path) -> None:
    found = interference(model, (fitted[0], PCI().fit(model, TONE)), Loudness(), prompts=1)
    assert found.plot(tmp_path / "deep" / "found.png").read_bytes().startswith(b"\x89PNG")


def test_names_of_equals_are_told_apart() -> None:
    assert names((*LEVERS[:1] * 3, LEVERS[1])) == ("lever tempo", "lever tempo 2", "lever tempo 3", "lever tone")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, list[str]]:
    """Tempo and drums of etude, fitted and saved."""
    etude, folder = tada.load_model("etude"), tmp_path_factory.mktemp("artefacts")
    made = [CAA(pairs=2).fit(etude, tada.get_concept(name)) for name in ("tempo", "drums")]
    return etude, [str(one.save_pretrained(folder / one.concept.name)) for one in made]


def test_tempo_and_drums_of_etude(saved: Any) -> None:
    etude, folders = saved
    artifacts = [tada.load_artifact(folder) for folder in folders]
    found = tada.interference(etude, artifacts, strength=1.0, prompts=2, settings=Settings(steps=8))
    assert found.units == ("beats per minute", "dB")
    assert (found.swap > 0).all()
    more, less = found.changes[:2]
    assert (np.diag(more) - np.diag(less) > 0.2 * found.swap).all()
    assert found.cosines[0, 0] == pytest.approx(1.0)
    assert -1 < found.cosines[0, 1] == found.cosines[1, 0] < 1


def test_the_command(saved: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "report"
    words = ["interference", *saved[1], "--prompts", "1", "--strength", "0.25", "--strength", "1"]
    with pytest.raises(SystemExit) as stop:
        main([*words, "--json", "--out", str(out)])
    text, err = capsys.readouterr()
    assert stop.value.code == 0, err
    data, kept = json.loads(text), Interference.from_json((out / "interference.json").read_text())
    assert data["names"] == ["caa tempo", "caa drums"]
    assert [row["change"] for row in data["effects"]] == [row["change"] for row in kept.table()]
    assert data["effects"][0]["turned"] == "caa tempo +0.25 norm"
    assert kept.strengths == (0.25, 1.0)
    assert (out / "interference.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_refuses_one_artefact(saved: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["interference", saved[1][0]])
    assert stop.value.code == 2
    assert "two or more" in capsys.readouterr().err
