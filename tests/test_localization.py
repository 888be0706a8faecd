"""Localisation beyond single layers: slots, modes, parts, pairs, screening, agreement; and patched outputs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import tiny
import torch
from attrs import evolve
from torch import Tensor

from tada_core import (
    Ablate,
    Audio,
    Concept,
    Impact,
    Metric,
    Part,
    PatchKV,
    PatchOutput,
    PatchText,
    Row,
    Schedule,
    Settings,
    Site,
    SwitchPrompt,
    content_hash,
    couples,
    from_dict,
    localize,
    run,
    screen,
    seed_at,
    singles,
    stages,
    to_dict,
)
from tada_core.engine.check import check_rows
from tada_core.engine.run import batches, generations
from tada_core.errors import SpecError, UnknownNameError
from tada_core.interventions import donors_of, sites_of
from tada_core.localization.agreement import agreement, spots
from tada_core.localization.pair import Pair
from tada_core.maths.elimination import by_confidence, by_halves
from tada_core.maths.impact import impact
from tada_core.maths.rank import spearman
from tada_core.maths.student import t_quantile
from tada_core.observer import Observer

HOST, DONOR, LAYERS = "a calm fast song", "the sad organ", (0, 1, 2)
PROMPTS = ("a calm song", "the organ tune", "a piano song", "a sad tune")
TEMPO = Concept("tempo", "fast {p}", "slow {p}", PROMPTS, ("the evening",))


class Loudness(Metric):
    """Mean absolute sample, as a stand-in for an alignment."""

    name: ClassVar[str] = "loudness"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "alignment"
    unit: ClassVar[str] = "full scale"

    def score(self, clips: Sequence[Audio], against: Any = None) -> np.ndarray:
        return np.array([float(clip.samples.abs().mean()) for clip in clips])


@pytest.fixture(scope="module")
def exact(tiny_folder: Path) -> tiny.Tiny:
    """The same network in float64: what is left there is a real leak between rows."""
    return tiny.build(tiny_folder, torch.float64)


def latents(model: Any, *rows: Row, **options: Any) -> Tensor:
    return torch.stack([clip.latents for clip in run(model, rows, **options)])


def row(*items: Any, prompt: str = HOST, seed: int = 0) -> Row:
    return Row(prompt, seed, interventions=items)


def relative(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


# Patched outputs.


@pytest.mark.parametrize("beside", [(), (row(prompt=DONOR),)], ids=["hidden", "visible"])
def test_every_output_patched_is_the_donor_s_run(exact: tiny.Tiny, beside: tuple[Row, ...]) -> None:
    host, donor = latents(exact, row(), row(prompt=DONOR))
    patched = latents(exact, row(PatchOutput(DONOR, LAYERS)), *beside)[0]
    assert relative(patched, donor) < 1e-10
    assert relative(patched, host) > 1e-2


def test_one_output_patched_is_neither_run_nor_patched_text(exact: tiny.Tiny) -> None:
    items = (PatchOutput(DONOR, 1), PatchText(DONOR, 1))
    host, donor, output, text = latents(exact, row(), row(prompt=DONOR), *(row(item) for item in items))
    assert min(relative(output, other) for other in (host, donor, text)) > 1e-3


def test_a_patched_output_is_what_a_hook_reads_in_the_donor_s_run(model: tiny.Tiny) -> None:
    kept: list[Tensor] = []
    block = model.denoiser.get_submodule(model.layers[1].path)
    handle = block.register_forward_hook(lambda _, __, h: kept.append(h.clone()))
    try:
        model.sample(model.batch([row(), row(prompt=DONOR)]))
    finally:
        handle.remove()

    def swap(_: Any, __: Any, h: Tensor) -> Tensor:
        changed, calls = h.clone(), kept.pop(0)
        changed[0], changed[2] = calls[1], calls[3]
        return changed

    handle = block.register_forward_hook(swap)
    try:
        by_hand = model.sample(model.batch([row(), row(prompt=DONOR)]))
    finally:
        handle.remove()
    engine = latents(model, row(PatchOutput(DONOR, 1)), row(prompt=DONOR))
    assert torch.equal(engine, by_hand)


def test_a_row_s_own_output_changes_nothing(model: tiny.Tiny) -> None:
    plain = latents(model, row(), row())
    assert torch.equal(latents(model, row(PatchOutput(HOST, LAYERS)), row()), plain)
    hidden = latents(model, row(PatchOutput("{p}", LAYERS)), row(PatchOutput("{p}", LAYERS), prompt=DONOR))
    assert relative(hidden, latents(model, row(), row(prompt=DONOR))) < 1e-5


def test_a_silent_window_is_the_plain_pipeline_bit_for_bit(model: tiny.Tiny) -> None:
    silent = PatchOutput(DONOR, LAYERS, schedule=Schedule(first=0.0, last=0.0))
    assert torch.equal(latents(model, row(silent), row(prompt=DONOR)), latents(model, row(), row(prompt=DONOR)))


def test_a_window_and_a_branch_are_kept(exact: tiny.Tiny) -> None:
    ways = ({}, {"branch": "cond"}, {"branch": "uncond"}, {"schedule": Schedule(0.5)})
    host, *clips = latents(exact, row(), *(row(PatchOutput(DONOR, 1, **way)) for way in ways))
    whole, cond, uncond, late = clips
    assert min(relative(cond, host), relative(late, host), relative(whole, late)) > 1e-3
    # Here the null text is zero, so there is nothing of the prompt in the outputs of that branch.
    assert max(relative(uncond, host), relative(cond, whole)) < 1e-10


def test_patched_outputs_of_rows_do_not_mix(exact: tiny.Tiny) -> None:
    rows = [row(PatchOutput(DONOR, n % 3), Ablate(Site("out", (n + 1) % 3)), seed=n // 2) for n in range(5)]
    rows += [row(PatchOutput("{p}, loud", 1), prompt="the piano"), row(), row(prompt=DONOR, seed=1)]
    together, apart = latents(exact, *rows, batch_size=16), latents(exact, *rows, batch_size=1)
    assert all(relative(one, other) < 1e-10 for one, other in zip(together, apart, strict=True))


def test_a_donor_s_own_interventions_are_no_part_of_the_donor(exact: tiny.Tiny) -> None:
    steered = row(Ablate(Site("out", 1)), prompt=DONOR)
    alone = latents(exact, row(PatchOutput(DONOR, 1)))[0]
    assert relative(latents(exact, row(PatchOutput(DONOR, 1)), steered)[0], alone) < 1e-10


class Seen(Observer):
    """Rows and shapes that an observer is shown."""

    sites, branch = (Site("out", 1),), "cond"

    def __init__(self) -> None:
        self.shown: set[tuple[tuple[int, ...], int]] = set()

    def see(self, site: Site, call: Any, rows: Any, values: Tensor) -> None:
        self.shown.add((tuple(rows), len(values)))


def test_guests_are_neither_returned_nor_observed_nor_counted(model: tiny.Tiny) -> None:
    rows = [row(PatchOutput(DONOR, 1), seed=seed) for seed in range(3)]
    watch, steps = Seen(), list[tuple[int, int]]()
    clips = run(model, rows, observer=watch, progress=lambda *now: steps.append(now))
    assert [clip.row for clip in clips] == rows
    assert watch.shown == {((0, 1, 2), 3)}
    assert steps == [(3, 3)]


def test_batches_leave_room_for_guests(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = [row(prompt=DONOR), *(row(PatchOutput(DONOR, layer)) for layer in (0, 1, 2, 0))]
    assert list(batches(model, shared, 4)) == [[0, 1, 2, 3], [4]]
    assert generations(model, shared, 4) == 6
    apart = [row(PatchOutput(DONOR, 1), seed=seed) for seed in range(3)]
    assert list(batches(model, apart, 4)) == [[0, 1], [2]]
    assert list(batches(model, apart, 1)) == [[0], [1], [2]]
    sizes, whole = [], model.sample

    def small(batch: Any) -> Tensor:
        sizes.append(len(batch.texts))
        if len(batch.texts) > 4:
            raise torch.OutOfMemoryError("pretend")
        return whole(batch)

    expected = latents(model, *apart)
    monkeypatch.setattr(model, "sample", small)
    assert relative(latents(model, *apart), expected) < 1e-5
    assert sizes == [6, 2, 4]


def test_a_donor_that_cannot_run_beside_its_host_is_refused(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny.Tiny, "batch_key", lambda _, row: len(row.text.split()))
    with pytest.raises(SpecError, match=r"'the sad organ' cannot share a forward pass .* PatchText"):
        check_rows(model, [row(PatchOutput(DONOR, 1))])
    check_rows(model, [row(PatchOutput("the sad loud organ", 1))])
    monkeypatch.undo()
    # Without a mask a text of another length has the row run alone, so nothing can run beside it.
    monkeypatch.setattr(tiny.Tiny, "tokens", lambda _, text: len(text.split()))
    with pytest.raises(SpecError, match="runs alone"):
        check_rows(model, [row(PatchOutput(HOST, 1), SwitchPrompt(DONOR))])


@pytest.mark.parametrize(
    ("item", "error", "words"),
    [
        (PatchOutput(" ", 1), SpecError, "empty prompt"),
        (PatchOutput(DONOR, 9), UnknownNameError, "layer '9'"),
        (PatchOutput(DONOR, 1, branch="text"), SpecError, "branch 'text'"),
    ],
)
def test_what_a_patched_output_cannot_be(model: tiny.Tiny, item: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        check_rows(model, [row(item)])


def test_a_patched_output_as_data() -> None:
    item = PatchOutput("{p}, fast", (2, 1, 1), "cond", Schedule(0.25))
    assert (sites_of(item), donors_of(item)) == ((Site("out", 1), Site("out", 2)), ("{p}, fast",))
    again = from_dict(json.loads(json.dumps(to_dict(item))))
    assert (again, content_hash(again)) == (item, content_hash(item))


# Parts.


def test_parts_have_readable_names(model: tiny.Tiny) -> None:
    assert [part.name for part in singles(model)] == ["0", "1", "2"]
    assert [part.name for part in couples((4, 2, 3))] == ["2+3", "2+4", "3+4"]
    assert [part.name for part in stages(3, (5, 2))] == ["2+5 @ 0-33 %", "2+5 @ 33-67 %", "2+5 @ 67-100 %"]


def test_stages_cut_the_trajectory_without_gap_or_overlap() -> None:
    for n in (1, 3, 4, 7):
        gains = np.array([part.schedule.gains(30) for part in stages(n, (0,))])
        assert (gains.sum(0) == 1).all()


@pytest.mark.parametrize("make", [lambda: Part(()), lambda: couples((1,)), lambda: stages(0, (1,))])
def test_parts_that_are_none(make: Any) -> None:
    with pytest.raises(SpecError, match="at least"):
        make()


# Impact and its modes.


def test_the_two_directions_meet_at_the_ends() -> None:
    source, target = np.array([0.0, 1.0]), np.array([2.0, 5.0])
    patched = np.stack([source, target, (source + target) / 2])
    assert impact(patched, source, target) == pytest.approx([0, 1, 0.5])
    assert impact(patched, source, target, "noising") == pytest.approx([1, 0, 0.5])
    assert impact(patched, source, target, "ablation") == pytest.approx([1, 0, 0.5])


def by_hand(model: tiny.Tiny, template: str, change: Any) -> float:
    rows = [Row(prompt, seed_at(0, n), template, interventions=change) for n, prompt in enumerate(PROMPTS[:2])]
    return float(Loudness().score([clip.audio for clip in run(model, rows)]).mean())


WINDOW = Schedule(0.0, 0.5)


@pytest.mark.parametrize(
    ("options", "host", "change"),
    [
        ({}, "{p}", (PatchText("fast {p}", (0, 2), schedule=WINDOW),)),
        ({"slot": "k"}, "{p}", (PatchKV("fast {p}", (0, 2), ("k",), schedule=WINDOW),)),
        ({"slot": "out"}, "{p}", (PatchOutput("fast {p}", (0, 2), schedule=WINDOW),)),
        ({"mode": "noising"}, "fast {p}", (PatchText("{p}", (0, 2), schedule=WINDOW),)),
        ({"mode": "noising", "slot": "v"}, "fast {p}", (PatchKV("{p}", (0, 2), ("v",), schedule=WINDOW),)),
        ({"mode": "noising", "slot": "out"}, "fast {p}", (PatchOutput("{p}", (0, 2), schedule=WINDOW),)),
        ({"mode": "ablation"}, "fast {p}", tuple(Ablate(Site("out", n), schedule=WINDOW) for n in (0, 2))),
        ({"mode": "ablation", "slot": "v"}, "fast {p}", tuple(Ablate(Site("v", n), schedule=WINDOW) for n in (0, 2))),
    ],
    ids=str,
)
def test_a_part_is_what_a_hand_made_run_says(model: tiny.Tiny, options: Any, host: str, change: Any) -> None:
    found = localize(model, TEMPO, Loudness(), parts=[Part((0, 2), WINDOW)], pairs=2, seeds=(0,), **options)
    source, target, changed = by_hand(model, "{p}", ()), by_hand(model, "fast {p}", ()), by_hand(model, host, change)
    share = (changed - source) / (target - source)
    expected = share if host == "{p}" else 1 - share
    assert found.values == pytest.approx([expected], rel=1e-3, abs=1e-4)
    assert abs(expected) > 1e-3
    slot = options.get("slot", "out" if options.get("mode") == "ablation" else "text")
    assert (found.mode, found.slot) == (options.get("mode", "denoising"), slot)


@pytest.mark.parametrize("mode", ["denoising", "noising"])
@pytest.mark.parametrize("slot", ["text", "out"])
def test_all_layers_together_carry_the_whole_swap(model: tiny.Tiny, mode: Any, slot: Any) -> None:
    found = localize(model, TEMPO, Loudness(), parts=[Part(LAYERS)], pairs=2, seeds=(0,), mode=mode, slot=slot)
    assert found.values == pytest.approx([1.0], abs=1e-3)


def test_patched_outputs_run_the_target_once_where_it_shares_the_batch(model: tiny.Tiny) -> None:
    spent = [
        localize(model, TEMPO, Loudness(), pairs=2, seeds=(0,), slot=slot, batch_size=size).generations
        for slot, size in (("text", 5), ("out", 5), ("out", 3), ("out", 2))
    ]
    assert spent == [10, 10, 12, 16]


def test_counterfactual_pairs_are_read_as_they_are(model: tiny.Tiny) -> None:
    pairs = [Pair("a fast song", "a slow song"), Pair("a loud tune", "a soft tune")]
    found = localize(model, TEMPO, Loudness(), pairs=pairs, seeds=(3,))
    for place, pair in enumerate(pairs):
        noise = seed_at(3, place)
        rows = [Row(pair.negative, noise), Row(pair.positive, noise), row(PatchText(pair.positive, 1))]
        rows[2] = evolve(rows[0], interventions=rows[2].interventions)
        source, target, patched = Loudness().score([clip.audio for clip in run(model, rows)])
        assert (found.source[place, 0], found.target[place, 0]) == pytest.approx((source, target), rel=1e-4)
        assert found.patched[1, place, 0] == pytest.approx(patched, rel=1e-4)
    assert (found.base, found.prompts) == ("pair", ("a slow song", "a soft tune"))
    assert Impact.from_json(found.to_json()).pairs == tuple(pairs)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"slot": "q"}, "slot 'q' does not exist; choose text, k, v or out"),
        ({"mode": "backwards"}, "choose denoising, noising or ablation"),
        ({"mode": "ablation", "slot": "text"}, "choose slot out, k or v"),
        ({"layers": (1,), "parts": [Part(1)]}, "leave out one"),
        ({"parts": []}, "no parts"),
        ({"pairs": []}, "no pairs"),
        ({"parts": stages(9, (1,))}, "at most 4 stages"),
    ],
)
def test_localisation_refuses_what_it_cannot_do(model: tiny.Tiny, options: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        localize(model, TEMPO, Loudness(), **{"pairs": 2, "seeds": (0,), **options})


def test_keys_of_prompts_of_two_lengths_are_refused_before_any_work(
    model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny.Tiny, "tokens", lambda _, text: len(text.split()))
    monkeypatch.setattr(model, "sample", lambda _: pytest.fail("work started before the input was checked"))
    with pytest.raises(SpecError, match='slot "text"'):
        localize(model, TEMPO, Loudness(), pairs=2, seeds=(0,), slot="k")


# The result.


def map_of(patched: Any, **how: Any) -> Impact:
    """A map of made-up scores [parts, prompts] between source 0 and target 1."""
    scores = np.asarray(patched, dtype=float)[..., None]
    ends = np.zeros(scores.shape[1:]), np.ones(scores.shape[1:])
    names = tuple(f"p{n}" for n in range(scores.shape[1]))
    layers = tuple(range(len(scores)))
    return Impact("m", "c", "r", "neutral", layers, [f"at.{n}" for n in layers], names, (0,), *ends, scores, **how)


def test_parts_name_the_table_the_picture_and_the_json(model: tiny.Tiny, tmp_path: Path) -> None:
    found = localize(model, TEMPO, Loudness(), parts=couples(LAYERS), pairs=2, seeds=(0,), mode="noising")
    assert [line["part"] for line in found.table()] == ["0+1", "0+2", "1+2"]
    assert (found.layers, found.generations) == (LAYERS, 10)
    best = int(np.argmax(found.values))
    assert found.best(1) == (found.parts[best],)
    assert found.top(1) == found.parts[best].layers
    assert found.top(2) == LAYERS
    again = Impact.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    assert (again.parts, again.mode, again.table()) == (found.parts, "noising", found.table())
    assert found.plot(tmp_path / "couples.png").stat().st_size > 1000


def test_results_written_before_there_were_parts_are_read() -> None:
    new = map_of([[0.1, 0.3], [0.7, 0.9]])
    old = json.loads(new.to_json())
    for name in ("parts", "slot", "mode", "pairs", "generations"):
        del old[name]
    read = Impact.from_json(json.dumps(old))
    assert (read.parts, read.slot, read.mode, read.generations) == ((Part(0), Part(1)), "text", "denoising", 8)
    assert read.table() == new.table()
    with pytest.raises(SpecError, match="not a localisation result"):
        Impact.from_json(json.dumps({**old, "parts": [{"layers": []}]}))


def test_parts_tried_on_fewer_prompts_count_over_these_alone() -> None:
    found = map_of([[0.5, 0.7, 0.9, 0.3], [0.9, 0.9, np.nan, np.nan]])
    assert found.tried == (4, 2)
    assert found.values == pytest.approx([0.6, 0.9])
    assert found.generations == 14
    assert found.best(1) == (Part(0),)
    assert [line["prompts"] for line in found.table()] == [4, 2]
    again = Impact.from_json(found.to_json())
    assert "NaN" not in found.to_json()
    assert again.table() == found.table()


# Agreement.


def test_agreement_of_a_map_with_itself_is_whole() -> None:
    one = map_of([[0.1], [0.7], [0.4], [0.0]])
    same = agreement(one, one)
    assert (same.overlap, same.rank, same.misses, same.cost) == (1.0, pytest.approx(1.0), (), 1.0)


def test_agreement_names_what_the_cheap_map_misses() -> None:
    exact, cheap = map_of([[0.1] * 4, [0.7] * 4, [0.4] * 4, [0.0] * 4]), map_of([[0.3], [0.5], [0.2], [0.1]])
    found = agreement(cheap, exact)
    assert (found.cheap, found.exact, found.misses, found.overlap) == (("0", "1"), ("1", "2"), ("2",), 0.5)
    assert (found.cheap_generations, found.exact_generations, found.cost) == (6, 24, 0.25)
    assert found.rank == pytest.approx(0.8)
    assert found.table()[0]["misses"] == "2"
    assert json.loads(found.to_json())["overlap"] == 0.5


def test_random_layers_beside_the_best_show_what_was_missed() -> None:
    cheap = map_of([[0.3], [0.5], [0.2], [0.1], [0.0]])
    every = {part for seed in range(20) for part in spots(cheap, 2, 1, seed)}
    assert every == set(cheap.parts)
    tried = spots(cheap, 2, 1)
    assert {Part(0), Part(1)} < set(tried) and len(tried) == 3
    assert spots(cheap, 2, 9) == cheap.parts
    exact = evolve(map_of([[0.1], [0.7], [0.4]]), layers=(0, 1, 4), parts=(Part(0), Part(1), Part(4)))
    found = agreement(cheap, exact)
    assert (found.misses, found.rank) == (("4",), pytest.approx(0.5))
    with pytest.raises(SpecError, match="the 2 best of the other"):
        agreement(cheap, evolve(exact, layers=(0, 2, 4), parts=(Part(0), Part(2), Part(4))))


def test_agreement_needs_the_same_parts() -> None:
    with pytest.raises(SpecError, match="other parts"):
        agreement(map_of([[0.1], [0.7]]), map_of([[0.1], [0.7], [0.2]]))
    with pytest.raises(SpecError, match="cannot agree"):
        agreement(map_of([[0.1], [0.7]]), evolve(map_of([[0.1], [0.7]]), concept="other"))


def test_rank_correlation_follows_order_alone_and_shares_ties() -> None:
    draw = np.random.default_rng(0).normal(size=20)
    assert spearman(draw, np.exp(draw)) == pytest.approx(1.0)
    assert spearman(draw, -draw) == pytest.approx(-1.0)
    assert spearman(np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])) == pytest.approx(3**0.5 / 2)
    assert np.isnan(spearman(np.ones(3), np.arange(3.0)))


# Screening.


@pytest.mark.parametrize(("freedom", "value"), [(1, 6.3138), (2, 2.9200), (3, 2.3534), (10, 1.8125), (200, 1.6525)])
def test_quantiles_of_student_s_t(freedom: int, value: float) -> None:
    assert t_quantile(0.95, freedom) == pytest.approx(value, abs=1e-4)
    assert t_quantile(0.5, freedom) == 0


def test_a_clear_loser_goes_and_a_doubtful_one_stays() -> None:
    gains = np.array([[0.9, 0.8, 0.9], [0.5, 0.6, 0.4], [0.0, 0.01, 0.02], [0.9, -0.6, 0.9]])
    assert by_confidence(gains, top=2).tolist() == [True, True, False, True]
    assert by_confidence(gains[:, :1], top=2).all()
    assert by_halves(gains, top=1).tolist() == [True, True, False, False]
    assert by_halves(gains, top=3).sum() == 3


def test_what_is_no_better_by_the_margin_goes() -> None:
    gains = np.array([[0.5, 0.52, 0.48], [0.49, 0.51, 0.49], [0.1, 0.1, 0.1]])
    assert by_confidence(gains, top=1).tolist() == [True, True, False]
    assert by_confidence(gains, top=1, margin=0.05).tolist() == [True, False, False]


def test_the_best_is_left_out_no_more_often_than_the_confidence_says() -> None:
    draw, lost = np.random.default_rng(0), 0
    for _ in range(1000):
        lost += not by_confidence(np.array([[0.5], [0.5]]) + draw.normal(0, 0.2, (2, 3)), top=1)[0]
    # Two equals: the first is last of the two in half of the trials, and then left out in at most 1 of 20.
    assert 10 < lost < 60


class First(Metric):
    """The first sample of a clip."""

    name: ClassVar[str] = "first"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "alignment"
    unit: ClassVar[str] = "full scale"

    def score(self, clips: Sequence[Audio], against: Any = None) -> np.ndarray:
        return np.array([float(clip.samples[0, 0]) for clip in clips])


class Told(tiny.Tiny):
    """Plays the impact that a test prescribes for the patched layer instead of music."""

    gains: ClassVar[dict[int, list[float]]] = {}

    def of(self, row: Row) -> float:
        place = row.seed // 1000
        if row.interventions:
            return self.gains[row.interventions[0].layers[0]][place]
        return 1.0 if row.text.startswith("fast") else 0.0


@pytest.fixture
def told(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> Told:
    """A model whose clips hold the prescribed scores."""
    from tada_core.clip import Clip
    from tada_core.localization import experiment

    made = Told(model.pipe)

    def play(model: Told, rows: Sequence[Row], progress: Any = None, **_: Any) -> list[Clip]:
        if progress is not None:
            progress(len(rows), len(rows))
        return [Clip(one, Audio(torch.full((1, 4), model.of(one)), 100), torch.zeros(1)) for one in rows]

    monkeypatch.setattr(experiment, "run", play)
    return made


def test_screening_stops_when_the_best_are_alone(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    gains = {0: [0.01, 0.02, 0.0, 0.01], 1: [0.6, 0.5, 0.6, 0.7], 2: [0.9, -0.2, 0.1, 0.05]}
    monkeypatch.setattr(Told, "gains", gains)
    steps: list[tuple[int, int]] = []
    found = screen(told, TEMPO, First(), top=1, start=2, progress=lambda *now: steps.append(now))
    # Layer 0 goes after two pairs; layer 2, which is uneven, after four.
    assert found.tried == (2, 4, 4)
    assert found.generations == 2 * 5 + 4 + 4
    assert found.top(1) == (1,)
    assert found.values == pytest.approx([0.015, 0.6, 0.2125])
    assert steps == [(10, 20), (14, 20), (18, 20)]
    assert screen(told, TEMPO, First(), top=1, start=2, most=3).tried == (2, 3, 3)
    assert screen(told, TEMPO, First(), top=2, start=2).top(2) == (1, 2)


def test_halving_goes_on_without_doubt(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    gains = {0: [0.01] * 4, 1: [0.6] * 4, 2: [0.9, -0.2, 0.1, 0.05]}
    monkeypatch.setattr(Told, "gains", gains)
    found = screen(told, TEMPO, First(), top=1, start=1, rule="halving")
    assert found.tried == (1, 2, 2)
    assert found.generations == 5 + 4
    assert found.top(1) == (1,)


def test_screening_without_dropping_is_localisation(model: tiny.Tiny) -> None:
    whole = localize(model, TEMPO, Loudness(), pairs=3, seeds=(0,))
    same = screen(model, TEMPO, Loudness(), top=2, start=3, most=3, confidence=0.9999)
    assert same.generations == whole.generations
    assert same.values == pytest.approx(whole.values, rel=1e-3)
    agreed = agreement(same, whole)
    assert (agreed.overlap, agreed.cost) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"top": 3}, "ask for 1 to 2"),
        ({"start": 1}, "ask for 2 to 4"),
        ({"start": 5}, "ask for 2 to 4"),
        ({"rule": "luck"}, "confidence or halving"),
        ({"confidence": 1.0}, "below 1"),
        ({"margin": -0.1}, "not below zero"),
        ({"seeds": ()}, "no seeds"),
        ({"settings": Settings(lyrics="la")}, "does not sing"),
    ],
)
def test_screening_refuses_before_any_work(
    model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch, options: Any, words: str
) -> None:
    monkeypatch.setattr(model, "sample", lambda _: pytest.fail("work started before the input was checked"))
    with pytest.raises(SpecError, match=words):
        screen(model, TEMPO, Loudness(), **options)
