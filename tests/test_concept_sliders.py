"""Concept Sliders: the target and the first step by hand, peft's own reading of the files, a network left as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from attrs import evolve
from models.cases import Shelf
from peft import LoraConfig, PeftModel, inject_adapter_in_model
from torch import Tensor

from tada_concept_sliders import tada_methods
from tada_concept_sliders.artifact import SlidersArtifact, key
from tada_concept_sliders.lora import injected
from tada_concept_sliders.sliders import ConceptSliders
from tada_concept_sliders.training import Course, lessons, train
from tada_core import Concept, Generation, LowRankAdd, ModelAdapter, Row, run
from tada_core.engine.donors import read_donors
from tada_core.engine.replay import record
from tada_core.errors import ArtifactError, MissingExtraError, SpecError
from tada_core.testing import check_method

TEMPO = Concept("tempo", "fast {p}", "slow {p}", ("a calm song", "the organ tune", "a piano song"), ("the evening",))
QUICK = ConceptSliders(iterations=2, rate=0.1)
STRONG = ConceptSliders(iterations=40, rate=1e-2, states=3, batch=2, reads="neutral", against="negative", eta=1)


@pytest.fixture(scope="module")
def exact(tiny_folder: Path) -> tiny.Tiny:
    return tiny.build(tiny_folder, torch.float64)


@pytest.fixture(scope="module")
def strong(exact: tiny.Tiny) -> SlidersArtifact:
    return STRONG.fit(exact, TEMPO)


@contextmanager
def left_as_it_was(model: ModelAdapter) -> Iterator[None]:
    """Modules, their parameters, flags and attributes, and the random numbers of everyone else."""

    def look() -> Any:
        network = model.denoiser
        modules = [(name, id(module), sorted(vars(module))) for name, module in network.named_modules()]
        flags = [(name, one.requires_grad, one.grad, id(one)) for name, one in network.named_parameters()]
        return modules, flags, network.training, torch.random.get_rng_state().tolist()

    before, weights = look(), {name: value.clone() for name, value in model.denoiser.state_dict().items()}
    yield
    assert look() == before
    after = model.denoiser.state_dict()
    assert after.keys() == weights.keys()
    assert all(torch.equal(after[name], value) for name, value in weights.items())


def apart(one: Tensor, other: Tensor) -> float:
    return float(((one - other).abs().max() / other.abs().max()).detach())


def test_concept_sliders_is_a_method(model: tiny.Tiny) -> None:
    with left_as_it_was(model):
        check_method(ConceptSliders(iterations=2), model, TEMPO)


@pytest.mark.parametrize("name", ["ace-step", "ace-step-1.5", "audioldm2", "longcat", "musicgen", "stable-audio-3"])
def test_concept_sliders_on_other_models(shelf: Shelf, name: str) -> None:
    """Branches apart, no mask, layers of two streams and widths, a memory of positions, queries only."""
    model = shelf.quick(name)
    # The first run of a pipeline leaves marks of its own.
    run(model, [Row("a song")])
    with left_as_it_was(model):
        check_method(QUICK, model, TEMPO)


def test_models_without_an_unconditional_prediction_need_the_originals_form(shelf: Shelf) -> None:
    model = shelf.quick("stable-audio-3-distilled")
    with pytest.raises(SpecError, match=r"runs without guidance.*against='negative'"):
        QUICK.fit(model, TEMPO)
    check_method(evolve(QUICK, against="negative"), model, TEMPO)


def test_what_cannot_be_trained_is_refused(shelf: Shelf, model: tiny.Tiny) -> None:
    with pytest.raises(SpecError, match=r"layer 0 of 'stable-audio-3' has none of the projections k, v; .* q, out"):
        ConceptSliders(slots=("k", "v")).fit(shelf.quick("stable-audio-3"), TEMPO)
    with pytest.raises(SpecError, match="no seeds"):
        QUICK.fit(model, TEMPO, seeds=())
    for wrong in ({"slots": ("out",)}, {"slots": ()}, {"against": "positive"}, {"rank": 0}, {"eta": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ConceptSliders(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("reads", ["positive", "neutral"])
@pytest.mark.parametrize("against", ["uncond", "negative"])
def test_the_first_step_by_hand(exact: tiny.Tiny, reads: Any, against: Any) -> None:
    """An adapter that is still nothing: the loss is that of plain predictions, and Adam moves every B by the rate."""
    ((lesson,),) = lessons(exact, TEMPO, 1, pairs=1, states=1, seeds=(5,), reads=reads, against=against)
    (state,) = record(exact, [lesson.row], [[lesson.step]])
    donors = read_donors(exact, ["a calm song", "fast a calm song", "slow a calm song"], lesson.row.settings, ())
    with torch.no_grad():
        asked = [("a calm song", "cond"), ("fast a calm song", "cond"), ("slow a calm song", "cond")]
        neutral, positive, negative, uncond = state.predict([*asked, ("a calm song", "uncond")], donors)
    wanted = neutral + 7 * (positive - (uncond if against == "uncond" else negative))
    expected = float(((positive if reads == "positive" else neutral) - wanted).pow(2).mean())
    paths = [exact.layer(layer).module(slot) for layer in (0, 2) for slot in ("q", "v")]
    course = Course(iterations=1, batch=1, eta=7.0, rate=1e-3, decay=0.01)
    with injected(exact.denoiser, paths, rank=2, alpha=4, seed=0) as lora:
        below = lora.tensors()
        (loss,) = train(exact, lora, course, [[lesson]], donors, lambda *_: None)
        made = lora.tensors()
    assert (loss.trained, loss.plain) == pytest.approx((expected, expected), rel=1e-9)
    assert made.keys() == {key(path, side) for path in paths for side in "AB"}
    for name, tensor in made.items():
        if ".lora_B." in name:
            assert torch.allclose(tensor.abs(), torch.full_like(tensor, 1e-3), rtol=1e-2)
            assert tensor.min() < 0 < tensor.max()
        else:  # No gradient yet; AdamW's decay alone.
            assert torch.allclose(tensor, below[name] * (1 - 1e-3 * 0.01), rtol=1e-12)


def test_training_brings_the_loss_down(strong: SlidersArtifact) -> None:
    first, last = strong.options["loss"]
    assert last < 0.5
    assert last < 0.6 * first


def test_both_signs_move_predictions_along_the_concept(exact: tiny.Tiny, strong: SlidersArtifact) -> None:
    """On noise that was not trained on: v(neutral) moves along v(positive) - v(negative), or against it."""
    row = Row("a calm song", 99)
    texts = [(f"{word}a calm song", "cond") for word in ("", "fast ", "slow ")]
    donors = read_donors(exact, [text for text, _ in texts], row.settings, ())
    for state in record(exact, [row], [(1, 2, 3)]):
        for strength in (-1.0, 1.0):
            with torch.no_grad():
                neutral, positive, negative = state.predict(texts, donors)
                with adapter(exact, strong, strength):
                    moved = state.predict(texts[:1], donors)[0]
            step, concept = (moved - neutral).flatten(), (positive - negative).flatten()
            assert strength * float(torch.cosine_similarity(step, concept, dim=0)) > 0.4


@contextmanager
def adapter(model: Any, artifact: SlidersArtifact, strength: float) -> Iterator[None]:
    """The adapter merged into the weights by hand."""
    own = {}
    for paths in artifact.projections.values():
        for path in paths.values():
            weight = model.denoiser.get_submodule(path).weight
            own[weight] = weight.data
            low = artifact.tensors[key(path, "B")] @ artifact.tensors[key(path, "A")]
            weight.data = weight.data + strength * artifact.options["alpha"] / artifact.options["rank"] * low
    try:
        yield
    finally:
        for weight, value in own.items():
            weight.data = value


@pytest.mark.parametrize("weight", [1.0, -1.5])
def test_peft_reads_the_saved_folder_and_gives_the_same_clips(
    exact: tiny.Tiny, strong: SlidersArtifact, tmp_path: Path, weight: float
) -> None:
    artifact = evolve(strong, options={**strong.options, "alpha": 3.0})
    row = Row("a loud tune", 3)
    ours = run(exact, [evolve(row, interventions=artifact.at(weight))])[0].latents
    plain = run(exact, [row])[0].latents
    wrapped = PeftModel.from_pretrained(exact.denoiser, str(artifact.save_pretrained(tmp_path)))
    try:
        for module in wrapped.modules():
            if hasattr(module, "set_scale"):
                module.set_scale("default", weight)
        theirs = run(exact, [row])[0].latents
    finally:
        wrapped.unload()
    assert apart(ours, theirs) < 1e-10
    assert apart(ours, plain) > 1e-2


def test_the_folder_holds_the_weights_once(strong: SlidersArtifact, tmp_path: Path) -> None:
    folder = strong.on((1,)).save_pretrained(tmp_path)
    names = {"config.json", "README.md", "adapter_config.json", "adapter_model.safetensors"}
    assert {path.name for path in folder.iterdir()} == names
    config = LoraConfig.from_pretrained(str(folder))
    assert config.target_modules == {f"transformer_blocks.1.attn2.to_{slot}" for slot in "qkv"}
    assert (config.r, config.lora_alpha) == (8, 8.0)
    again = SlidersArtifact.from_pretrained(folder)
    assert len(again.tensors) == 6
    assert again.at(2.0) == strong.on((1,)).at(2.0)
    (folder / "adapter_model.safetensors").write_bytes(b"no")
    with pytest.raises(ArtifactError, match=r"adapter_model\.safetensors"):
        SlidersArtifact.from_pretrained(folder)


def test_strength_is_the_weight_at_every_projection(strong: SlidersArtifact) -> None:
    found = strong.on((0, 2)).at(-2.5)
    assert [str(one.site) for one in found] == [f"{slot}[{layer}]" for layer in (0, 2) for slot in "qkv"]
    assert all(isinstance(one, LowRankAdd) and one.strength == -2.5 and one.branch == "both" for one in found)
    assert strong.units == ("raw",)


def test_rows_of_a_batch_have_strengths_of_their_own(exact: tiny.Tiny, strong: SlidersArtifact) -> None:
    rows = [Generation("a song").rows(strong.at(strength))[0] for strength in (-1.0, 0.0, 0.5, 2.0)]
    alone = [run(exact, [row])[0].latents for row in rows]
    for clip, expected in zip(run(exact, rows), alone, strict=True):
        assert apart(clip.latents, expected) < 1e-10
    assert min(apart(one, alone[1]) for at, one in enumerate(alone) if at != 1) > 1e-3


def test_a_training_can_be_repeated(model: tiny.Tiny) -> None:
    method = evolve(QUICK, iterations=4, rate=1e-2)
    one, again, other = (method.fit(model, TEMPO, layers=(1,), seeds=(seed,)) for seed in (0, 0, 1))
    assert one.options == again.options
    assert all(torch.equal(again.tensors[name], tensor) for name, tensor in one.tensors.items())
    assert all(not torch.equal(other.tensors[name], tensor) for name, tensor in one.tensors.items())


def test_progress_counts_clips_and_iterations(model: tiny.Tiny) -> None:
    seen: list[tuple[int, int]] = []
    ConceptSliders(iterations=3, batch=2, states=3).fit(model, TEMPO, progress=lambda *now: seen.append(now))
    assert [total for _, total in seen] == [3 + 2] * 3
    assert seen[-1] == (5, 5)


def test_a_broken_off_training_leaves_the_network_as_it_was(model: tiny.Tiny) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with left_as_it_was(model), pytest.raises(KeyboardInterrupt):
        QUICK.fit(model, TEMPO, progress=stop)


def test_a_broken_off_injection_leaves_the_network_as_it_was(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(config: Any, network: Any, name: str) -> None:
        inject_adapter_in_model(config, network, name)
        raise RuntimeError("half way")

    monkeypatch.setattr("tada_concept_sliders.lora.inject_adapter_in_model", half)
    with left_as_it_was(model), pytest.raises(RuntimeError, match="half way"):
        QUICK.fit(model, TEMPO)


def test_a_network_with_an_adapter_is_refused(tiny_folder: Path) -> None:
    model = tiny.build(tiny_folder)
    inject_adapter_in_model(LoraConfig(target_modules=["to_q"]), model.denoiser)
    with pytest.raises(SpecError, match="carries an adapter"):
        QUICK.fit(model, TEMPO)


def test_lessons_take_turns(model: tiny.Tiny) -> None:
    """11 lessons of 3 states: 4 runs in one group, none twice in a row, one lesson left out at the end."""
    (group,) = lessons(model, TEMPO, 11, pairs=2, states=3, seeds=(0, 50), reads="positive", against="negative")
    assert len(group) == 11
    runs = list(dict.fromkeys(one.row for one in group))
    assert [row.prompt for row in runs] == ["a calm song", "the organ tune"] * 2
    assert [row.seed for row in runs] == [0, 1050, 2000, 3050]
    for row in runs[:3]:
        assert sorted(one.step for one in group if one.row == row) == [1, 2, 3]
    assert all(one.row != after.row for one, after in pairwise(group))
    first = group[0]
    assert (first.read, first.neutral) == (("fast a calm song", "cond"), ("a calm song", "cond"))
    assert (first.positive, first.against) == (first.read, ("slow a calm song", "cond"))
    many = lessons(model, TEMPO, 20, pairs=50, states=1, seeds=(0,), reads="neutral", against="uncond")
    assert [len(group) for group in many] == [8, 8, 4]
    assert {one.step for group in many for one in group} == {1, 2, 3}
    assert many[0][0].against == ("a calm song", "uncond")


def test_without_peft_the_command_that_mends_it_is_said() -> None:
    (entry,) = tada_methods()
    assert entry.load() is ConceptSliders
    with pytest.raises(MissingExtraError, match=r'needs no_peft: pip install "tada-core\[concept-sliders\]"'):
        evolve(entry, requires=("no_peft",)).load()


def test_the_description_of_the_adapter_does_not_depend_on_the_order_of_a_set(strong: SlidersArtifact) -> None:
    config = json.loads(strong.files()["adapter_config.json"])
    assert config["target_modules"] == sorted(config["target_modules"])
    assert len(config["target_modules"]) == 9
