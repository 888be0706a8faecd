"""What every model adapter must do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from attrs import evolve
from torch import Tensor

from tada_core.adapter import Call, ModelAdapter
from tada_core.clip import Clip
from tada_core.engine.check import width_at
from tada_core.engine.run import run, sample
from tada_core.engine.values import first_tensor, with_first
from tada_core.errors import SpecError
from tada_core.generation import Row, Settings
from tada_core.interventions import (
    Ablate,
    AddVector,
    BlendScore,
    Intervention,
    PatchKV,
    PatchOutput,
    PatchText,
    SwitchPrompt,
)
from tada_core.observer import Observer
from tada_core.schedule import Schedule
from tada_core.sites import Site
from tada_core.tensors import TensorRef

TOLERANCE = 1e-5
"""Largest difference of final latents between equal runs in different batches, as a share of their largest value."""


def check_model(
    model: ModelAdapter,
    prompt: str = "a calm tune",
    other: str = "a fast loud tune",
    settings: Settings = Settings(steps=2),  # noqa: B008
) -> None:
    """Check an adapter: its layers, branches and batches, and that interventions do what they say and nothing else.

    Args:
        model: a loaded adapter.
        prompt, other: two prompts that the model renders differently.
        settings: of every run; few steps are enough. Leave them out where a model's steps follow from its seconds.

    Raises:
        AssertionError: a rule is broken.
        TadaError: a layer that the denoiser never reaches, or another refusal of the engine.
    """
    rows = [Row(prompt, seed, settings=settings) for seed in (0, 1)]
    _check_table(model)
    _check_clips(model, rows, other)
    _check_nothing(model, rows)
    _check_reach(model, rows[0], other)
    _check_donor(model, rows[0], other)
    _check_hooks(model, rows)
    _check_branches(model, rows)
    _check_schedule(model, rows)
    _check_rows(model, rows[0], other)
    _check_own_keys(model, rows[0], other)


def _check_table(model: ModelAdapter) -> None:
    assert model.name, "an adapter needs a name"
    assert model.rate > 0, f"rate is {model.rate} Hz"
    indices = [layer.index for layer in model.layers]
    assert indices, "the layer table is empty"
    assert indices == list(range(len(indices))), f"layers must be numbered 0, 1, ... in execution order, not {indices}"
    modules = dict(model.denoiser.named_modules())
    for layer in model.layers:
        for slot in ("text", *layer.written()):
            path = layer.module(slot)
            assert path in modules, f"layer {layer.index} names '{path}' for slot '{slot}', which the denoiser lacks"


def _check_clips(model: ModelAdapter, rows: Sequence[Row], other: str) -> None:
    plain, seeded, second = run(model, [*rows, evolve(rows[0], prompt=other)])
    for clip in (plain, seeded, second):
        _check_clip(model, clip)
    assert _far(plain.latents, second.latents), (
        f"'{plain.row.text}' and '{other}' give the same clip: the text does not reach the model"
    )
    assert _far(plain.latents, seeded.latents), "two seeds give the same clip: sample must use batch.generators()"


def _check_clip(model: ModelAdapter, clip: Clip) -> None:
    assert clip.audio.rate == model.rate, f"a clip has {clip.audio.rate} Hz, the adapter says {model.rate}"
    asked = model.resolve(clip.row.settings).seconds or 0.0
    assert abs(clip.audio.seconds - asked) < 0.1, f"a clip lasts {clip.audio.seconds} s where {asked} s were asked for"


def _check_nothing(model: ModelAdapter, rows: Sequence[Row]) -> None:
    """The engine with nothing to do, and with every site at strength zero, is the plain pipeline, bit for bit."""
    plain = model.sample(model.batch(rows))
    sites = [Site(slot, layer.index) for layer in model.layers for slot in layer.written()]
    zero = tuple(_push(model, site, 0.0) for site in sites)
    assert torch.equal(_latents(model, rows), plain), "the engine without interventions is not the plain pipeline"
    idle = [evolve(row, interventions=zero) for row in rows]
    assert torch.equal(_latents(model, idle), plain), "strength zero at every site is not the plain pipeline"


def _check_reach(model: ModelAdapter, row: Row, other: str) -> None:
    """Every slot of every layer changes the clip."""
    items: list[tuple[str, Intervention]] = []
    for layer in model.layers:
        items.append((f"text[{layer.index}]", PatchText(other, layer.index)))
        for slot in layer.written():
            items.append((f"{slot}[{layer.index}]", Ablate(Site(slot, layer.index))))
    plain, *changed = run(model, [row, *(evolve(row, interventions=(item,)) for _, item in items)])
    for (site, _), clip in zip(items, changed, strict=True):
        assert _far(plain.latents, clip.latents), f"an intervention at {site} changes nothing"


def _check_donor(model: ModelAdapter, row: Row, other: str) -> None:
    """Every layer patched is the donor's own run, but for what enters elsewhere; so is a prompt switched at once."""
    every, second = model.pick(None), evolve(row, prompt=other)
    items: list[Intervention] = [SwitchPrompt(other), PatchText(other, every)]
    if model.batch_key(row) == model.batch_key(second):
        items.append(PatchOutput(other, every))
    rows = [row, second, *(evolve(row, interventions=(item,)) for item in items)]
    plain, donor, switch, *patches = (clip.latents for clip in run(model, rows))
    assert not _far(switch, donor), "a prompt switched from the first step on is not the other prompt's own run"
    for patch in patches:
        if model.text_elsewhere:
            near = _distance(patch, donor) < _distance(plain, donor)
            assert near, "patching every layer does not come near the donor"
            continue
        assert not _far(patch, donor), (
            "every layer patched is not the donor's run: a text-fed layer is missing, or text enters elsewhere "
            "(then say so in `text_elsewhere`)"
        )


def _check_hooks(model: ModelAdapter, rows: Sequence[Row]) -> None:
    """A vector added by the engine is the vector added by a hand-written hook, bit for bit."""
    layer, strength, calls = model.layers[-1], 2.0, list[Call]()
    item = _push(model, Site("out", layer.index), strength)
    engine = _latents(model, [evolve(rows[0], interventions=(item,)), *rows[1:]])

    def note(_: object, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        calls.append(model.locate(args, kwargs, len(rows)))

    def add(_: object, __: object, output: object) -> object:
        hidden = first_tensor(output).clone()
        if place := calls[-1].branches.get("cond"):
            hidden[place.start] += strength * item.vector.tensor().to(hidden)
        return with_first(output, hidden)

    handles = [
        model.denoiser.register_forward_pre_hook(note, with_kwargs=True),
        model.denoiser.get_submodule(layer.path).register_forward_hook(add),
    ]
    try:
        by_hand = model.sample(model.batch(rows))
    finally:
        for handle in handles:
            handle.remove()
    assert torch.equal(engine, by_hand), "steering by the engine is not steering by a hook"


class _Watch(Observer):
    """An observer of one site on one branch: values by step."""

    def __init__(self, site: Site, branch: str) -> None:
        self.sites: tuple[Site, ...] = (site,)
        self.branch = branch
        self.values: dict[int, Tensor] = {}

    def see(self, site: Site, call: Call, rows: Sequence[int], values: Tensor) -> None:
        """Keep the values of a step."""
        self.values[call.step] = values.clone()


def _check_branches(model: ModelAdapter, rows: Sequence[Row]) -> None:
    """A branch can be addressed alone; one that is not there is refused."""
    if rows[0].settings.steps is not None:
        rows = [evolve(row, settings=evolve(row.settings, steps=4)) for row in rows]
    batch = model.batch(rows)
    there = model.branches(batch.guidance, batch.steps)
    for steered in there:
        item = _push(model, Site("out", 0), 2.0, branch=steered)
        first = there[steered].start
        for seen in there:
            if first not in there[seen]:
                continue
            steered_rows = [evolve(row, interventions=(item,)) for row in rows]
            before, after = (_watch(model, some, seen, first) for some in (rows, steered_rows))
            if seen == steered:
                assert not torch.equal(before, after), f"steering branch '{steered}' does not change it"
            else:
                assert torch.equal(before, after), f"steering branch '{steered}' changes branch '{seen}'"
    for settings, schedule in _absent(model, rows[0], batch.steps, there):
        item = _push(model, Site("out", 0), 2.0, branch="uncond", schedule=schedule)
        try:
            run(model, [evolve(rows[0], settings=settings, interventions=(item,))])
        except SpecError:
            continue
        raise AssertionError("a branch that is not there was accepted")


def _absent(model: ModelAdapter, row: Row, steps: int, there: Mapping[str, range]) -> list[tuple[Settings, Schedule]]:
    """Settings and windows at which the unconditional branch does not exist."""
    found = [(evolve(row.settings, guidance=1.0), Schedule())] if "uncond" not in model.branches(1.0, steps) else []
    window, total = there.get("uncond"), there["cond"].stop
    if window is not None and window.start > 0:
        found.append((row.settings, Schedule(0.0, window.start / total)))
    return found


def _check_schedule(model: ModelAdapter, rows: Sequence[Row]) -> None:
    """An intervention of the second half leaves the first step alone."""
    item = _push(model, Site("out", 0), 2.0, schedule=Schedule(0.5, 1.0))
    late = [evolve(row, interventions=(item,)) for row in rows]
    assert torch.equal(_watch(model, rows, "cond", 0), _watch(model, late, "cond", 0)), (
        "an intervention scheduled for the second half acts in the first"
    )
    assert _far(_latents(model, rows), _latents(model, late)), "an intervention of the second half changes nothing"


def _check_rows(model: ModelAdapter, row: Row, other: str) -> None:
    """Rows of one batch do not touch each other."""
    edits: list[tuple[Intervention, ...]] = [
        (),
        (_push(model, Site("out", 0), 2.0),),
        (PatchText(other, len(model.layers) - 1),),
        (SwitchPrompt(other, schedule=Schedule(0.5, 1.0)),),
        (BlendScore(other, "{p}", 0.5),),
    ]
    rows = [evolve(row, interventions=edit) for edit in edits]
    plain, *others = clips = run(model, rows)
    for one, together in zip(rows, clips, strict=True):
        (alone,) = run(model, [one])
        assert not _far(alone.latents, together.latents), (
            "a row depends on its batch mates; separate them with batch_key, and see that `take` picks rows"
        )
    for one, clip in zip(rows[1:], others, strict=True):
        assert _far(plain.latents, clip.latents), f"{type(one.interventions[0]).__name__} changes nothing"


def _check_own_keys(model: ModelAdapter, row: Row, other: str) -> None:
    """A row's own keys and values, given to it beside a row of another prompt, change nothing."""
    every = tuple(layer.index for layer in model.layers if layer.k and layer.v)
    if not every:
        return
    own = evolve(row, interventions=(PatchKV("{p}", every),))
    plain, patched, _ = run(model, [row, own, evolve(row, prompt=other)])
    assert not _far(plain.latents, patched.latents), "a row's own keys and values, patched in, change its clip"


def _push(model: ModelAdapter, site: Site, strength: float, **how: object) -> AddVector:
    """A fixed direction added at a site."""
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(width_at(model, site), generator=generator)
    return AddVector(site, TensorRef.of(vector), strength, unit="raw", renorm=False, **how)  # type: ignore[arg-type]


def _latents(model: ModelAdapter, rows: Sequence[Row]) -> Tensor:
    return sample(model, rows, range(len(rows)), None)


def _watch(model: ModelAdapter, rows: Sequence[Row], branch: str, step: int) -> Tensor:
    """The last layer's residual stream on a branch at a step."""
    watch = _Watch(Site("residual", len(model.layers) - 1), branch)
    sample(model, rows, range(len(rows)), watch)
    return watch.values[step]


def _far(one: Tensor, two: Tensor) -> bool:
    return _distance(one, two) > TOLERANCE * float(one.abs().max())


def _distance(one: Tensor, two: Tensor) -> float:
    return float((one - two).abs().max())
