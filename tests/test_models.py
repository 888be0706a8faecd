"""The adapters of diffusers pipelines, on small random instances of the real classes saved as real folders."""

from __future__ import annotations

import json
import shutil
from importlib import import_module

import pytest
import torch
from attrs import evolve
from models import audioldm2
from models.cases import SMALL

from tada_ace_step_15.adapter import PEAK, AceStep15
from tada_audioldm2.adapter import AudioLDM2
from tada_core import (
    AddVector,
    BlendScore,
    Generation,
    PatchKV,
    PatchText,
    Row,
    Schedule,
    ShiftPrompt,
    ShiftTokens,
    Site,
    SwitchPrompt,
    TensorRef,
    run,
)
from tada_core.engine.donors import read_donors
from tada_core.errors import CheckpointError, EngineError, SpecError
from tada_core.testing import check_model
from tada_longcat.adapter import LongCat
from tada_stable_audio.adapter import StableAudioOpen

# The Brownian tree of Stable Audio Open's scheduler is asked for times outside its ends by a rounding error.
pytestmark = pytest.mark.filterwarnings("ignore:Should have t:UserWarning")

CALM, LOUD, LONG = "a calm tune", "a loud tune", "a fast loud happy evening tune"


# The diffusers pipelines, with the argument that gives each the length of a clip.
LENGTH = {
    "stable-audio-open": "audio_end_in_s",
    "stable-audio-3": "duration",
    "stable-audio-3-distilled": "duration",
    "audioldm2": "audio_length_in_s",
    "ace-step-1.5": "audio_duration",
    "ace-step-1.5-turbo": "audio_duration",
    "longcat": "audio_duration_s",
}
CASES = {name: SMALL[name] for name in LENGTH}
GUIDED = [name for name in CASES if name not in ("stable-audio-3-distilled", "ace-step-1.5-turbo")]


@pytest.fixture
def folder_of(shelf):
    return shelf.folder


@pytest.fixture
def load(shelf):
    return shelf.load


def apart(one, two):
    """Largest difference as a share of the largest value."""
    return float((one - two).abs().max() / one.abs().max())


@pytest.mark.parametrize("name", CASES)
def test_a_clip_is_what_the_pipeline_makes(load, folder_of, name):
    import diffusers

    model, case = load(name), CASES[name]
    given = model.components(str(folder_of(name)), torch.float32)
    pipe = getattr(diffusers, model.pipeline).from_pretrained(folder_of(name), **given)
    pipe.set_progress_bar_config(disable=True)
    made = pipe(
        prompt=[CALM],
        num_inference_steps=2,
        guidance_scale=model.defaults.guidance,
        generator=[torch.Generator().manual_seed(3)],
        output_type="pt",
        **{LENGTH[name]: case.settings.seconds},
    ).audios
    (clip,) = run(model, [Row(CALM, 3, settings=case.settings)])
    assert apart(made[0].reshape(clip.audio.samples.shape), clip.audio.samples) < 1e-5


@pytest.mark.parametrize("name", CASES)
def test_the_layers_are_those_that_read_text_in_the_order_they_run(load, name):
    model, case, seen = load(name), CASES[name], []
    wanted = {layer.path.rpartition(".")[2] for layer in model.layers}
    text = model.layers[0].text_args[0]

    def note(path):
        def hook(_, args, kwargs):
            if kwargs.get(text) is not None:
                seen.append(path)

        return hook

    parts = [(path, part) for path, part in model.denoiser.named_modules() if path.rpartition(".")[2] in wanted]
    handles = [part.register_forward_pre_hook(note(path), with_kwargs=True) for path, part in parts]
    model.sample(model.batch([Row(CALM, settings=case.settings)]))
    for handle in handles:
        handle.remove()
    assert seen[: len(model.layers)] == [layer.path for layer in model.layers]
    assert set(seen) == {layer.path for layer in model.layers}


@pytest.mark.parametrize("name", GUIDED)
def test_the_prompt_is_on_the_conditional_branch_alone(load, name):
    model = load(name)
    donors = read_donors(model, [CALM, LOUD], CASES[name].settings, [])
    text = model.text_kwargs[0]
    assert apart(donors.prompt(CALM, "cond")[text], donors.prompt(LOUD, "cond")[text]) > 1e-2
    assert torch.equal(donors.prompt(CALM, "uncond")[text], donors.prompt(LOUD, "uncond")[text])


@pytest.mark.parametrize("name", CASES)
def test_it_runs_in_half_precision(folder_of, name):
    model = CASES[name].adapter.load(str(folder_of(name)), dtype=torch.bfloat16)
    (clip,) = run(model, [Row(CALM, settings=CASES[name].settings)])
    assert clip.latents.dtype == torch.bfloat16
    assert clip.audio.samples.dtype == torch.float32


@pytest.mark.parametrize("name", ["audioldm2", "ace-step-1.5"])
def test_prompts_of_different_length_are_kept_apart_where_padding_is_heard(load, name):
    model, settings = load(name), CASES[name].settings
    calm, loud, long = (Row(text, settings=settings) for text in (CALM, LOUD, LONG))
    assert model.batch_key(calm) == model.batch_key(loud) != model.batch_key(long)
    alone = model.sample(model.batch([calm]))[0]
    assert apart(alone, model.sample(model.batch([calm, long]))[0]) > 1e-2
    assert apart(alone, run(model, [calm, long])[0].latents) < 1e-5


def test_longcat_does_not_hear_padding(load, folder_of):
    from diffusers import LongCatAudioDiTPipeline

    model, plain = load("longcat"), LongCatAudioDiTPipeline.from_pretrained(folder_of("longcat"))
    plain.set_progress_bar_config(disable=True)

    def first(pipe, *prompts):
        seeds = [torch.Generator().manual_seed(seed) for seed in range(len(prompts))]
        how = {"audio_duration_s": 2.0, "num_inference_steps": 2, "output_type": "latent"}
        return pipe(prompt=list(prompts), generator=seeds, **how).audios[0]

    alone = first(plain, CALM)
    assert apart(alone, first(plain, CALM, LONG)) > 1e-2
    assert torch.equal(alone, first(model.pipe, CALM))
    assert apart(alone, first(model.pipe, CALM, LONG)) < 1e-5


def test_longcat_calls_tell_their_branch_by_their_text(load):
    model, seen = load("longcat"), []

    def note(_, args, kwargs):
        seen.append((model.locate(args, kwargs, 1).step, *model.locate(args, kwargs, 1).branches))

    handle = model.denoiser.register_forward_pre_hook(note, with_kwargs=True)
    model.sample(model.batch([Row(CALM, settings=CASES["longcat"].settings)]))
    handle.remove()
    assert seen == [(0, "cond"), (0, "uncond"), (1, "cond"), (1, "uncond")]


def test_audioldm2_streams(load):
    model, widths = load("audioldm2"), {"gpt2": 16, "t5": 24}
    assert [layer.stream for layer in model.layers] == ["gpt2", "t5"] * 4
    assert [layer.path.partition(".")[0] for layer in model.layers] == ["down_blocks"] * 2 + ["mid_block"] * 2 + [
        "up_blocks"
    ] * 4
    for layer in model.layers:
        attention = model.denoiser.get_submodule(layer.path)
        assert attention.to_k.in_features == widths[layer.stream]
        assert layer.alias == layer.block == layer.path.removesuffix(".attn2")
    every = [path for path, _ in model.denoiser.named_modules() if path.endswith(".attn2")]
    assert len(every) == 2 * len(model.layers)
    assert type(model.pipe.language_model).__name__ == "GPT2LMHeadModel"


def test_audioldm2_large_has_two_blocks_in_each_attention(tmp_path):
    model = AudioLDM2.load(str(audioldm2.build(tmp_path, depth=2)))
    assert [layer.path[-len("0.attn2") :] for layer in model.layers] == ["0.attn2", "1.attn2"] * 8
    assert [layer.stream for layer in model.layers] == ["gpt2", "gpt2", "t5", "t5"] * 4


def test_audioldm2_base_has_groups_of_three(tmp_path):
    model = AudioLDM2.load(str(audioldm2.build(tmp_path, group=(None, 16, 24))))
    places = [int(layer.path.partition("attentions.")[2].partition(".")[0]) for layer in model.layers]
    assert places == [1, 2, 1, 2, 1, 2, 4, 5]
    assert [layer.stream for layer in model.layers] == ["gpt2", "t5"] * 4
    check_model(model, CALM, "a fast loud tune", CASES["audioldm2"].settings)


def test_ace_step_15_finds_a_word_from_the_end_of_its_context(load):
    """Its text encoder reads from left to right: two prompts first differ where the word is."""
    model = load("ace-step-1.5")
    name, places = model.places(CALM, "calm")
    donors = read_donors(model, [CALM, LOUD], CASES["ace-step-1.5"].settings, [])
    one, two = (donors.prompt(text, "cond")[name] for text in (CALM, LOUD))
    differing = (one != two).any(-1).nonzero().flatten() - len(one)
    assert places == (int(differing[0]),)


@pytest.mark.parametrize("name", [*CASES, "ace-step", "musicgen"])
def test_a_moved_word_is_heard_and_must_be_there(shelf, name):
    model, settings = shelf.load(name), SMALL[name].settings
    plain = Row(CALM, settings=settings)
    text, places = model.places(CALM, "calm")
    assert len(places) == 1
    donor = read_donors(model, [CALM], settings, []).prompt(CALM, "cond")[text]
    moved = ShiftTokens("calm", TensorRef.of(torch.ones(donor.shape[-1])), 3.0)
    clips = run(model, [plain, evolve(plain, interventions=(moved,))])
    assert apart(clips[0].latents.double(), clips[1].latents.double()) > 1e-4
    with pytest.raises(SpecError, match="the word 'loud' is not in the prompt"):
        run(model, [evolve(plain, interventions=(evolve(moved, word="loud"),))])
    with pytest.raises(EngineError, match=r"the direction is 3 wide, the text \d+; fit it on this model"):
        run(model, [evolve(plain, interventions=(evolve(moved, vector=TensorRef.of(torch.ones(3))),))])


def test_a_word_beyond_the_limit_of_the_text_encoder_is_refused(load):
    long = " ".join(["soft"] * 20 + ["calm"])
    with pytest.raises(SpecError, match="'calm' is not among the 12 tokens that are read"):
        load("stable-audio-open").places(long, "calm")


def test_longcat_counts_the_tokens_of_what_it_reads(load):
    assert load("longcat").tokens('A  "calm" TUNE') == load("longcat").tokens("a calm tune") == 3


def test_stable_audio_3_has_no_keys_and_values_of_its_own(load, monkeypatch):
    model = load("stable-audio-3")
    monkeypatch.setattr(model, "sample", None)
    for item in (PatchKV(LOUD, 0), AddVector(Site("v", 0), TensorRef.of(torch.ones(32)), 1.0)):
        with pytest.raises(SpecError, match=r"layer 0 has no projection '[kv]'; it has q, out, residual"):
            model.generate(Generation(CALM), item)


def test_a_distilled_stable_audio_3_is_not_guided(load):
    base, distilled = load("stable-audio-3"), load("stable-audio-3-distilled")
    assert (base.defaults.steps, base.defaults.guidance) == (100, 7.0)
    assert (distilled.defaults.steps, distilled.defaults.guidance) == (8, 1.0)
    assert base.branches(7.0, 4) == {"uncond": range(4), "cond": range(4)}


def test_ace_step_15_is_guided_inside_its_interval(folder_of, load):
    name = "ace-step-1.5"
    assert load(name).branches(7.0, 8) == {"cond": range(8), "uncond": range(8)}
    assert load(name).branches(1.0, 8) == load(f"{name}-turbo").branches(7.0, 8) == {"cond": range(8)}
    model = AceStep15.load(str(folder_of(name)), shift=1.0, interval=(0.25, 0.5))
    assert model.branches(7.0, 8)["uncond"] == range(2, 5)
    check_model(model, CALM, LOUD, CASES[name].settings)
    late = AddVector(Site("out", 0), TensorRef.of(torch.ones(16)), 1.0, branch="uncond", schedule=Schedule(0.75, 1.0))
    with pytest.raises(SpecError, match="exists at steps 2 to 4"):
        model.generate(Generation(CALM, seconds=2.0, steps=8), late)


@pytest.mark.parametrize(
    "item", [PatchText(LONG, 0, branch="cond"), SwitchPrompt(LONG, branch="uncond"), BlendScore(LOUD, LONG, 1.0)]
)
def test_ace_step_15_refuses_a_part_of_a_call_in_another_length(load, monkeypatch, item):
    model = load("ace-step-1.5")
    monkeypatch.setattr(model, "sample", None)
    with pytest.raises(
        SpecError, match=r"has \d+ tokens, the row's own 'a calm tune' \d+; use prompts of one length, or"
    ):
        model.generate(Generation(CALM, seconds=2.0, steps=2), item)


@pytest.mark.parametrize("name", ["ace-step-1.5", "ace-step-1.5-turbo"])
def test_ace_step_15_takes_a_donor_of_another_length_whole(load, name):
    model, settings = load(name), CASES[name].settings
    plain = Row(CALM, settings=settings)
    every = tuple(layer.index for layer in model.layers)
    edits = (PatchText(LONG, every), SwitchPrompt(LONG), PatchText(LONG, 0), SwitchPrompt(LONG, Schedule(0.5)))
    rows = [plain, evolve(plain, prompt=LONG), *(evolve(plain, interventions=(edit,)) for edit in edits)]
    own, donor, patched, switched, one, late = (clip.latents for clip in run(model, rows))
    assert apart(patched, donor) < 1e-5
    assert apart(switched, donor) < 1e-5
    assert all(apart(clip, other) > 1e-3 for clip in (one, late) for other in (own, donor))


@pytest.mark.parametrize("name", ["audioldm2", "longcat"])
def test_keys_and_values_of_another_length_are_refused(load, monkeypatch, name):
    model = load(name)
    monkeypatch.setattr(model, "sample", None)
    with pytest.raises(SpecError, match=r"PatchKV: 'a fast loud happy evening tune' has .* tokens, .* or PatchText"):
        model.generate(Generation(CALM, seconds=0.6, steps=2), PatchKV(LONG, 0))


def test_text_shifted_all_the_way_to_a_longer_prompt_is_that_prompt(load):
    model, settings = load("longcat"), CASES["longcat"].settings
    rows = [
        Row(CALM, settings=settings, interventions=(ShiftPrompt(LONG, CALM, 1.0, branch="both"),)),
        Row(LONG, settings=settings),
        Row(CALM, settings=settings, interventions=(ShiftPrompt(LONG, CALM, 0.5, branch="both"),)),
    ]
    shifted, longer, half = run(model, rows)
    assert apart(shifted.latents, longer.latents) < 1e-5
    assert apart(half.latents, longer.latents) > 1e-3
    assert apart(half.latents, run(model, rows[2:])[0].latents) < 1e-5


def test_ace_step_15_sings_and_keeps_loudness(load):
    model = load("ace-step-1.5")
    (plain,) = model.generate(Generation(CALM, seconds=2.0, steps=2))
    (sung,) = model.generate(Generation(CALM, seconds=2.0, steps=2, lyrics="[verse]\nhappy song"))
    assert apart(plain.latents, sung.latents) > 1e-3
    assert float(plain.audio.samples.abs().max()) == pytest.approx(PEAK)
    raw = model.waveform(plain.latents[None])[0].detach()
    assert apart(raw, plain.audio.samples / plain.audio.gain) < 1e-5


@pytest.mark.parametrize(("name", "limit"), [("stable-audio-open", 0.96), ("stable-audio-3", 384.0), ("longcat", 30.0)])
def test_a_clip_longer_than_the_model_makes_is_refused(load, monkeypatch, name, limit):
    model = load(name)
    monkeypatch.setattr(model, "sample", None)
    with pytest.raises(SpecError, match=f"'{name}' makes at most {limit:g} s, not {limit + 1:g} s"):
        model.generate(Generation(CALM, seconds=limit + 1))


def test_clips_are_decoded_a_few_at_a_time(load, monkeypatch):
    model, sizes = load("longcat"), []
    batch = model.batch([Row(CALM, seed, settings=CASES["longcat"].settings) for seed in range(5)])
    latents = model.sample(batch)
    whole = model.waveform(latents).detach()
    inner = model.waveform
    monkeypatch.setattr(model, "waveform", lambda part: sizes.append(len(part)) or inner(part))
    clips = model.decode(latents, batch)
    assert sizes == [4, 1]
    assert all(apart(one, clip.samples) < 1e-5 for one, clip in zip(whole, clips, strict=True))


@pytest.mark.parametrize("name", ["longcat", "audioldm2"])
def test_components_may_wait_on_the_cpu(load, folder_of, name):
    rows = [Row(CALM, settings=CASES[name].settings)]
    model = CASES[name].adapter.load(str(folder_of(name)), offload=True)
    for clip in (run(model, rows)[0], run(model, rows)[0]):
        assert apart(run(load(name), rows)[0].latents, clip.latents) < 1e-5


def test_an_absent_shard_is_named(folder_of, tmp_path):
    shutil.copytree(folder_of("stable-audio-open"), tmp_path, dirs_exist_ok=True)
    shards = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (tmp_path / "text_encoder" / "model.safetensors").rename(tmp_path / "text_encoder" / shards["weight_map"]["a"])
    (tmp_path / "text_encoder" / "model.safetensors.index.json").write_text(json.dumps(shards))
    with pytest.raises(CheckpointError, match=r"text_encoder/model-00002-of-00002\.safetensors is missing"):
        StableAudioOpen.load(str(tmp_path))


def test_a_source_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"model 'longcat' cannot be loaded from '.*nothing'"):
        LongCat.load(str(tmp_path / "nothing"))


def test_another_models_folder_is_refused(folder_of):
    with pytest.raises(CheckpointError, match="holds a LongCatAudioDiTPipeline, not a StableAudioPipeline"):
        StableAudioOpen.load(str(folder_of("longcat")))


@pytest.mark.parametrize("plugin", ["stable_audio", "audioldm2", "ace_step_15", "longcat"])
def test_entries_lead_to_their_adapters(plugin):
    for entry in import_module(f"tada_{plugin}").tada_models():
        adapter = entry.load()
        assert (adapter.name, adapter.licence) == (entry.name, entry.licence)
        assert adapter.source.count("/") == 1
