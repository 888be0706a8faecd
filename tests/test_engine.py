"""The engine on a random instance of real classes: exactness, both directions, and a clean model afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from attrs import evolve
from torch import Tensor

from tada_core import (
    Ablate,
    AddVector,
    BlendScore,
    Generation,
    LowRankAdd,
    PatchKV,
    PatchText,
    Row,
    SAEDecodeAdd,
    Schedule,
    ShiftPrompt,
    ShiftTokens,
    Site,
    SparseAutoencoder,
    SwitchPrompt,
    TensorRef,
    run,
)
from tada_core.engine import run as engine
from tada_core.errors import EngineError
from tada_core.observer import Observer

HOST, DONOR, THIRD = "a calm fast song", "the sad organ", "a loud happy tune"
LAYERS = (0, 1, 2)
WIDTH = 32


def vector(seed: int = 0, *shape: int) -> TensorRef:
    return TensorRef.of(torch.randn(*(shape or (WIDTH,)), generator=torch.Generator().manual_seed(seed)))


def autoencoder() -> SparseAutoencoder:
    return SparseAutoencoder(vector(1, WIDTH, 64), vector(2, 64), vector(3, 64, WIDTH), vector(4, WIDTH), k=8)


def everything(strength: float) -> list[Any]:
    """Every kind of intervention that has a strength, at that strength."""
    sae = autoencoder()
    return [
        AddVector(Site("out", 1), vector(), strength),
        AddVector(Site("out", 1), vector(0, 4, WIDTH), strength, unit="norm"),
        AddVector(Site("residual", 2), vector(), strength, renorm=False),
        AddVector(Site("q", 0), vector(), strength),
        AddVector(Site("k", 0), vector(), strength, branch="both"),
        SAEDecodeAdd(Site("out", 1), sae, (3, 5), (1.0, 0.5), strength),
        SAEDecodeAdd(Site("out", 1), sae, (3, 5), (1.0, 0.5), strength, mode="edit"),
        Ablate(Site("out", 0), strength=strength),
        Ablate(Site("v", 2), vector(), strength=strength),
        AddVector(Site("out", 1), vector(), strength, unit="scale"),
        Ablate(Site("residual", 1), vector(), strength=strength, rectified=True, renorm=True),
        LowRankAdd(Site("k", 1), vector(5, 4, WIDTH // 2), vector(6, WIDTH, 4), strength),
        LowRankAdd(Site("q", 2), vector(7, 4, WIDTH), vector(8, WIDTH, 4), strength),
        ShiftTokens(HOST.split()[1], vector(9, WIDTH // 2), strength),
        ShiftPrompt(DONOR, THIRD, strength),
        BlendScore(DONOR, THIRD, strength),
    ]


STRONG = [*everything(1.5), PatchText(DONOR, (1,)), PatchKV(DONOR, (1,)), SwitchPrompt(DONOR, Schedule(0.5))]


def name(item: Any) -> str:
    return f"{type(item).__name__}-{getattr(item, 'site', '')}-{getattr(item, 'mode', getattr(item, 'unit', ''))}"


def latents(model: tiny.Tiny, *rows: Row, **options: Any) -> Tensor:
    return torch.stack([clip.latents for clip in run(model, rows, **options)])


def row(*items: Any, prompt: str = HOST, seed: int = 0) -> Row:
    return Row(prompt, seed, interventions=items)


def relative(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max() / other.abs().max())


@pytest.fixture(scope="module")
def exact(tiny_folder: Path) -> tiny.Tiny:
    """The same network in float64: what is left there is a real leak between rows."""
    return tiny.build(tiny_folder, torch.float64)


@contextmanager
def hooked(model: tiny.Tiny, hooks: dict[str, Callable[..., Any]]) -> Iterator[None]:
    handles = [model.denoiser.get_submodule(path).register_forward_hook(hook) for path, hook in hooks.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def test_no_intervention_is_the_plain_pipeline_bit_for_bit(model: tiny.Tiny) -> None:
    rows = Generation(HOST, seeds=(0, 1, 2)).rows()
    assert torch.equal(latents(model, *rows), model.sample(model.batch(rows)))


@pytest.mark.parametrize("item", everything(0.0), ids=name)
def test_zero_strength_is_the_plain_pipeline_bit_for_bit(model: tiny.Tiny, item: Any) -> None:
    rows = (row(item), row(item, seed=1))
    assert torch.equal(latents(model, *rows), model.sample(model.batch(rows)))


@pytest.mark.parametrize("item", STRONG, ids=name)
def test_strength_changes_its_row_and_leaves_its_neighbours_bit_for_bit(model: tiny.Tiny, item: Any) -> None:
    rows = (row(), row(item), row(seed=1))
    plain, steered = model.sample(model.batch(rows)), latents(model, *rows)
    assert torch.equal(steered[0], plain[0])
    assert torch.equal(steered[2], plain[2])
    assert relative(steered[1], plain[1]) > 1e-3


@pytest.mark.parametrize("renorm", [False, True])
def test_steering_is_a_hand_written_hook_bit_for_bit(model: tiny.Tiny, renorm: bool) -> None:
    v, a = vector(7).tensor(), 2.5

    def hook(_: Any, __: Any, h: Tensor) -> Tensor:
        changed = h.clone()
        moved = h[2:] + a * v
        changed[2:] = moved * (h[2:].norm(dim=-1, keepdim=True) / moved.norm(dim=-1, keepdim=True)) if renorm else moved
        return changed

    items = [AddVector(Site("out", layer), vector(7), a, renorm=renorm) for layer in LAYERS]
    rows = (row(*items), row(*items, seed=1))
    with hooked(model, {f"transformer_blocks.{layer}.attn2": hook for layer in LAYERS}):
        expected = model.sample(model.batch(rows))
    assert torch.equal(latents(model, *rows), expected)


@pytest.mark.parametrize("item", [PatchText(DONOR, LAYERS), PatchKV(DONOR, LAYERS), SwitchPrompt(DONOR)], ids=name)
def test_patching_everything_is_the_donor_s_run(exact: tiny.Tiny, item: Any) -> None:
    host, donor, patched = latents(exact, row(), row(prompt=DONOR), row(item))
    assert relative(patched, donor) < 1e-10
    assert relative(patched, host) > 1e-2


def test_patching_one_layer_is_neither_run(model: tiny.Tiny) -> None:
    host, donor, patched = latents(model, row(), row(prompt=DONOR), row(PatchText(DONOR, (1,))))
    assert relative(patched, host) > 1e-3
    assert relative(patched, donor) > 1e-3


def test_patched_text_and_patched_keys_and_values_agree(exact: tiny.Tiny) -> None:
    text, both = latents(exact, row(PatchText(DONOR, (0, 2))), row(PatchKV(DONOR, (0, 2))))
    assert relative(text, both) < 1e-12


def test_a_batch_of_different_rows_equals_separate_runs(exact: tiny.Tiny) -> None:
    rows = [row(item, seed=index) for index, item in enumerate(STRONG)]
    together = latents(exact, *rows, batch_size=len(rows))
    apart = latents(exact, *rows, batch_size=1)
    assert all(relative(one, other) < 1e-10 for one, other in zip(together, apart, strict=True))


def test_fp32_rows_equal_separate_runs_to_the_design_s_tolerance(model: tiny.Tiny) -> None:
    rows = [row(item, seed=index) for index, item in enumerate(STRONG)]
    together, apart = latents(model, *rows, batch_size=16), latents(model, *rows, batch_size=1)
    assert all(relative(one, other) < 1e-5 for one, other in zip(together, apart, strict=True))


def test_same_seed_same_clip_whatever_the_batch(model: tiny.Tiny) -> None:
    many = latents(model, *(row(seed=seed) for seed in range(5)))
    assert relative(latents(model, row(seed=3))[0], many[3]) < 1e-5
    assert relative(many[2], many[3]) > 1e-2


def test_interventions_compose_in_order(exact: tiny.Tiny) -> None:
    add, remove = (
        AddVector(Site("out", 1), vector(), 3.0, renorm=False),
        Ablate(Site("out", 1), vector(), branch="cond"),
    )
    plain, removed, add_remove, remove_add = latents(exact, row(), row(remove), row(add, remove), row(remove, add))
    assert relative(add_remove, removed) < 1e-10
    assert relative(remove_add, removed) > 1e-3
    assert relative(removed, plain) > 1e-3


def test_only_the_named_branch_is_changed(model: tiny.Tiny) -> None:
    seen: list[Tensor] = []

    def keep(_: Any, __: Any, h: Tensor) -> None:
        seen.append(h.clone())

    def values(branch: str | None) -> Tensor:
        seen.clear()
        items = [] if branch is None else [AddVector(Site("out", 0), vector(), 5.0, branch=branch)]
        with hooked(model, {"transformer_blocks.0": keep}):
            latents(model, row(*items))
        return seen[0]

    plain = values(None)
    for branch, changed in (("uncond", [0]), ("cond", [1]), ("both", [0, 1])):
        now = values(branch)
        assert [index for index in (0, 1) if not torch.equal(now[index], plain[index])] == changed


def test_a_schedule_acts_on_its_steps_alone(model: tiny.Tiny) -> None:
    seen: list[Tensor] = []

    def keep(_: Any, __: Any, h: Tensor) -> None:
        seen.append(h[1].clone())

    add = AddVector(Site("out", 0), vector(), 5.0, schedule=Schedule(0.5, 0.75))
    with hooked(model, {"transformer_blocks.0": keep}):
        latents(model, row())
        latents(model, row(add))
    plain, steered = seen[:4], seen[4:]
    assert [torch.equal(one, other) for one, other in zip(plain, steered, strict=True)] == [True, True, False, False]
    assert torch.equal(
        latents(model, row(AddVector(Site("out", 0), vector(), 5.0))),
        latents(model, row(AddVector(Site("out", 0), vector(), 5.0, schedule=Schedule(0, 1)))),
    )


def test_a_late_switch_shares_the_early_steps(model: tiny.Tiny) -> None:
    late, early = latents(model, row(SwitchPrompt(DONOR, Schedule(0.75))), row(SwitchPrompt(DONOR, Schedule(0.25))))
    host = latents(model, row())[0]
    assert 0 < relative(late, host) < relative(early, host)


def test_blending_moves_the_guided_score_by_the_difference(exact: tiny.Tiny) -> None:
    """With a = 1, positive = P and negative = host, one step of the conditional-only model is P's own."""
    generation = Generation(HOST, guidance=1.0, steps=1)
    blended = run(exact, generation.rows(BlendScore(DONOR, HOST, 1.0)))[0].latents
    donor = run(exact, Generation(DONOR, guidance=1.0, steps=1).rows())[0].latents
    assert relative(blended, donor) < 1e-10


def test_a_per_step_vector_carries_over_to_another_number_of_steps(model: tiny.Tiny) -> None:
    constant = TensorRef.of(vector().tensor().expand(4, WIDTH).clone())
    for steps in (3, 4, 7):
        one, other = (
            run(model, Generation(HOST, steps=steps).rows(AddVector(Site("out", 1), v, 2.0)))[0].latents
            for v in (vector(), constant)
        )
        assert torch.equal(one, other)


def test_memory_that_runs_out_halves_the_batch(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Generation(HOST, seeds=range(5)).rows(AddVector(Site("out", 1), vector(), 1.0))
    expected, sizes = latents(model, *rows), []
    whole = model.sample

    def small(batch: Any) -> Tensor:
        sizes.append(len(batch.texts))
        if len(batch.texts) > 2:
            raise torch.OutOfMemoryError("pretend")
        return whole(batch)

    monkeypatch.setattr(model, "sample", small)
    assert relative(latents(model, *rows), expected) < 1e-5
    assert sizes == [5, 2, 3, 1, 2]


def test_memory_too_small_for_one_row_is_an_error(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: Any) -> Tensor:
        raise torch.OutOfMemoryError("pretend")

    monkeypatch.setattr(model, "sample", never)
    with pytest.raises(torch.OutOfMemoryError):
        run(model, [row()])


def state(model: tiny.Tiny) -> list[tuple[str, tuple[str, ...], int]]:
    """What a run could leave behind: instance attributes and hooks of every module."""
    return [
        (path, tuple(sorted(module.__dict__)), len(module._forward_hooks) + len(module._forward_pre_hooks))
        for path, module in model.denoiser.named_modules()
    ]


def test_a_run_and_a_failed_run_leave_the_model_clean(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    before, plain = state(model), latents(model, row())
    latents(model, *(row(item) for item in STRONG))
    assert state(model) == before

    def broken(*_: Any, **__: Any) -> None:
        raise ValueError("boom")

    monkeypatch.setattr(model.pipe.scheduler, "step", broken)
    with pytest.raises(ValueError, match="boom"):
        latents(model, row(STRONG[0]))
    monkeypatch.undo()
    assert state(model) == before
    assert torch.equal(latents(model, row()), plain)


def test_a_site_that_is_never_reached_is_an_error(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    block = model.denoiser.transformer_blocks[1]
    monkeypatch.setattr(block, "forward", lambda hidden_states, **_: hidden_states)
    with pytest.raises(EngineError, match=r"attn2' was reached in 0 of"):
        latents(model, row(AddVector(Site("out", 1), vector(), 1.0)))


def test_a_site_missing_from_later_calls_is_an_error(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    block, calls = model.denoiser.transformer_blocks[1], []
    whole = block.forward

    def sometimes(hidden_states: Tensor, **kwargs: Any) -> Tensor:
        calls.append(1)
        return whole(hidden_states, **kwargs) if len(calls) < 3 else hidden_states

    monkeypatch.setattr(block, "forward", sometimes)
    with pytest.raises(EngineError, match="reached in 2 of 4 calls"):
        latents(model, row(AddVector(Site("out", 1), vector(), 1.0)))


def test_clips_are_finite_audio_of_the_asked_length(model: tiny.Tiny) -> None:
    clip = run(model, Generation(HOST, seconds=0.5).rows())[0]
    assert clip.audio.samples.shape == (1, 50)
    assert clip.audio.rate == 100
    assert clip.audio.samples.dtype == torch.float32


def test_latents_that_blow_up_name_the_row_and_what_mends_it(model: tiny.Tiny) -> None:
    huge = TensorRef.of(torch.full((WIDTH,), float("inf")))
    strong = AddVector(Site("residual", 1), huge, 1.0, renorm=False)
    with pytest.raises(EngineError, match=r"row 1 \('the sad organ'\) .* too strong: lower their strength"):
        run(model, [Row(HOST), Row(DONOR, interventions=(strong,))])
    weight = model.pipe.transformer.proj_out.weight.data
    kept = weight.clone()
    weight.fill_(float("nan"))
    try:
        with pytest.raises(EngineError, match=r"row 0 .* the model itself fails here: load it with dtype=float32"):
            run(model, [Row(HOST)])
    finally:
        weight.copy_(kept)


def test_progress_counts_clips(model: tiny.Tiny) -> None:
    seen: list[tuple[int, int]] = []
    run(model, Generation(HOST, seeds=range(5)).rows(), batch_size=2, progress=lambda *now: seen.append(now))
    assert seen == [(2, 5), (4, 5), (5, 5)]


def test_rows_keep_their_order_across_settings(model: tiny.Tiny) -> None:
    rows = [Generation(HOST, seeds=(seed,), steps=2 + seed % 2).rows()[0] for seed in range(4)]
    clips = run(model, rows)
    assert [clip.row for clip in clips] == rows
    assert engine.run is run


def test_a_low_rank_change_of_a_row_is_that_change_of_the_weights(exact: tiny.Tiny) -> None:
    down, up = vector(5, 4, WIDTH // 2), vector(6, WIDTH, 4)
    rows = [row(), row(LowRankAdd(Site("v", 1), down, up, 0.7)), row(LowRankAdd(Site("v", 1), down, up, -0.3))]
    plain, *changed = latents(exact, *rows)
    weight = exact.denoiser.get_submodule(exact.layers[1].module("v")).weight
    before = weight.detach().clone()
    for strength, clip in zip((0.7, -0.3), changed, strict=True):
        with torch.no_grad():
            weight.copy_(before + strength * up.tensor().to(weight) @ down.tensor().to(weight))
        try:
            assert relative(clip, latents(exact, row())[0]) < 1e-10
        finally:
            with torch.no_grad():
                weight.copy_(before)
        assert relative(clip, plain) > 1e-3


class Steps(Observer):
    """Watches the last layer's residual stream on the conditional branch."""

    sites, branch = (Site("residual", 2),), "cond"

    def __init__(self) -> None:
        self.values: dict[int, Tensor] = {}

    def see(self, site: Site, call: Any, rows: Any, values: Tensor) -> None:
        self.values[call.step] = values.clone()


@pytest.mark.parametrize("item", STRONG, ids=name)
def test_an_intervention_of_the_second_half_is_silent_in_the_first(model: tiny.Tiny, item: Any) -> None:
    plain, late = Steps(), Steps()
    for watch, one in ((plain, row()), (late, row(evolve(item, schedule=Schedule(0.5))))):
        run(model, [one], observer=watch)
    assert all(torch.equal(plain.values[step], late.values[step]) for step in (0, 1))
    assert not torch.equal(plain.values[3], late.values[3])
