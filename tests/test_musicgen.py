"""MusicGen on small random instances of the real classes, against the library's own way."""

import shutil

import pytest
import torch

from tada_core import AddVector, BlendScore, Generation, PatchText, Row, Schedule, Settings, Site, SwitchPrompt, run
from tada_core import TensorRef as Ref
from tada_core.errors import CheckpointError, SpecError
from tada_musicgen import tada_models
from tada_musicgen.adapter import Memory, MusicGen
from tada_musicgen.draw import draw

CALM, LONG = "a calm tune", "a fast loud happy evening tune"
SHORT = Settings(seconds=0.4)


@pytest.fixture
def folder(shelf):
    return shelf.folder("musicgen")


@pytest.fixture
def model(shelf):
    return shelf.load("musicgen")


@pytest.mark.parametrize("kind", ["musicgen", "musicgen-stereo"])
@pytest.mark.parametrize("guidance", [3.0, 1.0])
def test_the_likeliest_codes_are_those_of_the_library(kind, guidance, shelf):
    model = MusicGen.load(str(shelf.folder(kind)), top_k=1)
    rows = [Row(text, settings=Settings(seconds=1.0, guidance=guidance)) for text in (CALM, LONG)]
    tokens = model.tokenizer([CALM, LONG], return_tensors="pt", padding=True)
    how = {"do_sample": False, "guidance_scale": guidance, "max_length": model.batch(rows).steps + 1}
    theirs = model.model.generate(**tokens, **how)
    for clip, wanted in zip(run(model, rows), theirs, strict=True):
        assert clip.audio.samples.shape == wanted.shape
        assert torch.allclose(clip.audio.samples, wanted, atol=1e-6)
        assert wanted.std() > 1e-3


def test_the_next_position_is_the_librarys(model):
    """A long random history, read in two parts here and as a whole there."""
    codes = torch.randint(0, 32, (2, model.books, 9), generator=torch.Generator().manual_seed(0))
    tokens = model.tokenizer([CALM, LONG], return_tensors="pt", padding=True)
    theirs = model.model(**tokens, decoder_input_ids=codes.flatten(0, 1)).logits.unflatten(0, (2, model.books))
    text, mask = model.encode([CALM, LONG])
    given = {"encoder_hidden_states": text, "encoder_attention_mask": mask, "memory": Memory(9)}
    early, late = (model.denoiser(codes=codes[..., :seen], **given) for seen in (5, 9))
    assert torch.allclose(early, theirs[..., 4, :], atol=1e-5)
    assert torch.allclose(late, theirs[..., 8, :], atol=1e-5)
    assert not torch.allclose(early, late, atol=1e-2)


def test_draws_follow_the_softmax_of_the_likeliest():
    logits = torch.tensor([2.0, 1.0, 0.0, -9.0]).expand(1, 4000, 4)
    drawn = draw(logits, [torch.Generator().manual_seed(0)], top_k=3, temperature=0.5)
    wanted = torch.tensor([4.0, 2.0, 0.0]).softmax(0)
    shares = torch.bincount(drawn[0], minlength=4) / 4000
    assert shares[3] == 0
    assert torch.allclose(shares[:3], wanted, atol=0.03)


def test_a_patch_that_starts_late_is_heard(model):
    late = Schedule(0.5, 1.0)
    plain = Row(CALM, settings=SHORT)
    clips = run(
        model,
        [
            plain,
            *(
                Row(CALM, settings=SHORT, interventions=(one,))
                for one in (PatchText(LONG, (0, 1), schedule=late), SwitchPrompt(LONG, schedule=late))
            ),
        ],
    )
    half = model.frames(0.4) // 2 - model.delay
    for clip in clips[1:]:
        assert torch.equal(clip.latents[:, :half], clips[0].latents[:, :half])
        assert not torch.equal(clip.latents, clips[0].latents)
    assert torch.equal(clips[1].latents, clips[2].latents)


def test_blended_predictions_read_the_clip_under_each_prompt(model):
    """With the difference of a prompt and the row's own, strength 1 is guided by that prompt instead."""
    (blended, donor, plain) = run(
        model,
        [
            Row(CALM, settings=Settings(seconds=0.4, guidance=1.0), interventions=(BlendScore(LONG, CALM, 1.0),)),
            Row(LONG, settings=Settings(seconds=0.4, guidance=1.0)),
            Row(CALM, settings=Settings(seconds=0.4, guidance=1.0)),
        ],
    )
    assert torch.equal(blended.latents, donor.latents)
    assert not torch.equal(plain.latents, donor.latents)


def test_steps_follow_from_seconds(model):
    assert model.resolve(Settings()).steps == model.defaults.steps == 10 * 20 + 2
    assert model.resolve(Settings(seconds=1.0, steps=22)).steps == 22
    with pytest.raises(SpecError, match="1 s are 22 steps, not 30; set seconds and leave steps out"):
        model.generate(Generation(CALM, seconds=1.0, steps=30))


@pytest.mark.parametrize("seconds", [31.0, 0.1])
def test_a_length_it_cannot_make_is_refused(model, seconds):
    with pytest.raises(SpecError, match=f"makes 0.15 to 30 s, not {seconds:g} s"):
        model.generate(Generation(CALM, seconds=seconds))


def test_there_is_no_unconditional_branch_without_guidance(model):
    push = AddVector(Site("residual", 0), Ref.of(torch.ones(32)), 1.0, branch="uncond")
    with pytest.raises(SpecError, match="addresses branch 'uncond'"):
        model.generate(Generation(CALM, seconds=0.4, guidance=1.0), push)


def test_it_runs_in_half_precision_and_with_parts_on_the_cpu(folder, model):
    half = MusicGen.load(str(folder), dtype=torch.bfloat16)
    (clip,) = half.generate(Generation(CALM, seconds=0.4))
    assert next(half.denoiser.parameters()).dtype == torch.bfloat16
    assert clip.audio.samples.dtype == torch.float32
    (offloaded,) = MusicGen.load(str(folder), offload=True).generate(Generation(CALM, seconds=0.4))
    assert torch.equal(offloaded.latents, model.generate(Generation(CALM, seconds=0.4))[0].latents)


def test_a_folder_of_another_model_is_refused(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    with pytest.raises(CheckpointError, match="holds a t5, not a musicgen"):
        MusicGen.load(str(tmp_path))


@pytest.mark.parametrize("wrong", [{"top_k": 0}, {"temperature": 0.0}])
def test_a_draw_that_cannot_be_made_is_refused(folder, wrong):
    with pytest.raises(SpecError, match="top_k must be at least 1 and temperature above 0"):
        MusicGen.load(str(folder), **wrong)


def test_the_entry_leads_to_the_adapter():
    (entry,) = tada_models()
    assert (entry.load().name, entry.load().licence) == (entry.name, entry.licence)
