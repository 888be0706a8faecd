"""What every model adapter must do."""

from __future__ import annotations

from torch import Tensor

from tada_core.adapter import ModelAdapter
from tada_core.clip import Clip
from tada_core.engine.run import run
from tada_core.generation import Row, Settings
from tada_core.interventions import PatchText, SwitchPrompt

TOLERANCE = 1e-5
"""Largest difference of final latents between equal runs in different batches, as a share of their largest value."""


def check_model(model: ModelAdapter, prompt: str = "a calm tune", other: str = "a fast loud tune") -> None:
    """Check an adapter's layer table, its clips, and that rows, switches and patches act as they should.

    Args:
        model: a loaded adapter.
        prompt, other: two prompts that the model renders differently.

    Raises:
        AssertionError: a rule is broken.
        TadaError: a layer that the denoiser never reaches, or another refusal of the engine.
    """
    _check_layers(model)
    settings = Settings(steps=2)
    rows = [
        Row(prompt, 0, settings=settings),
        Row(other, 0, settings=settings),
        Row(prompt, 1, settings=settings),
        Row(prompt, 0, settings=settings, interventions=(SwitchPrompt(other),)),
        Row(prompt, 0, settings=settings, interventions=(PatchText(other, model.pick(None)),)),
    ]
    clips = run(model, rows)
    plain, donor, seeded, switched, patched = (clip.latents for clip in clips)
    for clip in clips:
        _check_clip(model, clip)
    assert _far(plain, donor), f"'{prompt}' and '{other}' give the same clip: the text does not reach the model"
    assert _far(plain, seeded), "two seeds give the same clip: sample must use batch.generators()"
    assert not _far(switched, donor), "a prompt switched from the first step on is not the other prompt's own run"
    assert _far(plain, patched), "patching every layer changes nothing: the layers are not those that read the text"
    alone = run(model, rows[:1])[0].latents
    assert not _far(plain, alone), "a row depends on its batch mates; separate them with batch_key"


def _check_layers(model: ModelAdapter) -> None:
    assert model.name, "an adapter needs a name"
    assert model.rate > 0, f"rate is {model.rate} Hz"
    indices = [layer.index for layer in model.layers]
    assert indices, "the layer table is empty"
    assert indices == list(range(len(indices))), f"layers must be numbered 0, 1, ... in execution order, not {indices}"
    modules = dict(model.denoiser.named_modules())
    for layer in model.layers:
        for slot in ("text", "residual", "q", "k", "v"):
            path = layer.module(slot)
            assert path in modules, f"layer {layer.index} names '{path}' for slot '{slot}', which the denoiser lacks"


def _check_clip(model: ModelAdapter, clip: Clip) -> None:
    assert clip.audio.rate == model.rate, f"a clip has {clip.audio.rate} Hz, the adapter says {model.rate}"
    asked = model.resolve(clip.row.settings).seconds or 0.0
    assert abs(clip.audio.seconds - asked) < 0.1, f"a clip lasts {clip.audio.seconds} s where {asked} s were asked for"


def _far(one: Tensor, two: Tensor) -> bool:
    return float((one - two).abs().max()) > TOLERANCE * float(one.abs().max())
