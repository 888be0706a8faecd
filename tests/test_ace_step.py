"""ACE-Step v1 against numbers recorded from the upstream classes; limits are those stated beside the recordings."""

import itertools

import ace_folder
import pytest
import torch
from ace_folder import GOLDEN
from attrs import evolve
from safetensors.torch import load_file

from tada_ace_step.checkpoint import read_module
from tada_ace_step.guidance import Guidance, Guide
from tada_ace_step.pipeline import AceStepPipeline, Options, contexts
from tada_ace_step.sampler import advance, omega_factor, sigmas
from tada_core import AddVector, Generation, PatchText, Row, Settings, Site, TensorRef, run
from tada_core.errors import CheckpointError, SpecError

PLAIN = Guidance(interval=1.0, erg_text=False, erg_lyric=False, erg_diffusion=False)
HALF = evolve(PLAIN, interval=0.5)
UPSTREAM = Options(PLAIN, mean="batch")


@pytest.fixture(scope="module")
def folder(shelf):
    return shelf.folder("ace-step")


@pytest.fixture(scope="module")
def pipe(folder):
    return AceStepPipeline.read(folder, torch.float32, UPSTREAM, None)


@pytest.fixture(scope="module")
def transformer(pipe):
    return pipe.transformer


def golden(letter):
    (path,) = GOLDEN.glob(f"{letter}_*.safetensors")
    return load_file(path)


def inputs(tensors, prefix):
    return [tensors[f"{prefix}.{key}"] for key in ("text", "text_mask", "speaker", "lyric_ids", "lyric_mask")]


def worst(made, recorded):
    return float((made - recorded).abs().max())


@pytest.mark.parametrize("case", ["b1", "b2", "b3"])
@torch.no_grad()
def test_the_lyric_encoder(transformer, case):
    tensors = golden("B")
    states = transformer.lyric_encoder(transformer.lyric_embs(tensors[f"{case}.ids"]), tensors[f"{case}.mask"])
    assert worst(states, tensors[f"{case}.enc"]) < 1e-5
    assert worst(transformer.lyric_proj(states), tensors[f"{case}.proj"]) < 1e-5


@pytest.mark.parametrize("case", ["a1", "a2", "a3"])
@torch.no_grad()
def test_the_transformer(transformer, case):
    tensors = golden("A")
    context, mask = transformer.encode(*inputs(tensors, f"{case}.in"))
    assert worst(context, tensors[f"{case}.ctx"]) < 1e-5
    assert torch.equal(mask.float(), tensors[f"{case}.ctx_mask"])
    made = transformer(tensors[f"{case}.x"], tensors[f"{case}.timestep"], context, mask, tensors[f"{case}.frame_mask"])
    assert worst(made, tensors[f"{case}.out"]) < 1e-3


@torch.no_grad()
def test_every_block(transformer):
    tensors, seen, handles = golden("A"), {}, []
    for index, block in enumerate(transformer.transformer_blocks):
        parts = {"self_attn_out": block.attn, "cross_attn_out": block.cross_attn, "block_out": block}
        for name, module in parts.items():
            keep = lambda _, __, out, key=(name, index): seen.__setitem__(key, out)  # noqa: E731
            handles.append(module.register_forward_hook(keep))
    context, mask = transformer.encode(*inputs(tensors, "a1.in"))
    transformer(tensors["a1.x"], tensors["a1.timestep"], context, mask, tensors["a1.frame_mask"])
    for handle in handles:
        handle.remove()
    for (name, index), made in seen.items():
        assert worst(made, tensors[f"a1.{name}"][index]) < 2e-3, f"{name} {index}"
    assert len(seen) == 72


@torch.no_grad()
def test_the_vocoder_and_the_whole_decoder(pipe):
    tensors = golden("C")
    assert worst(pipe.vocoder.backbone(tensors["c1.mel"]), tensors["c1.backbone"]) < 1e-4
    assert worst(pipe.vocoder(tensors["c1.mel"]), tensors["c1.wave"]) < 1e-4
    assert worst(pipe.decode_mel(tensors["c2.latents"]), tensors["c2.mel"]) < 1e-4
    for latents, wave in zip(tensors["c2.latents"], tensors["c2.wave"], strict=True):
        assert worst(pipe.decode(latents), wave) < 1e-4


def test_the_schedule():
    tensors = golden("D")
    assert worst(sigmas(30), tensors["euler.sigmas"]) < 1e-6
    assert worst(1000 * sigmas(30)[:-1], tensors["euler.timesteps"]) < 1e-3
    assert omega_factor(0.0) == 1.0
    assert omega_factor(10.0) == pytest.approx(1.0462117)


def test_the_formulas():
    tensors = golden("F")
    guide = Guide(PLAIN, 4.0, 30)
    for call in range(3):
        made = guide.combine(call, {"cond": tensors["apg.cond"][call], "uncond": tensors["apg.uncond"][call]})
        assert worst(made, tensors["apg.out"][call]) < 1e-5
    levels = sigmas(30)
    step = float(levels[1] - levels[0])
    whole = advance(tensors["step.sample"], tensors["step.v"], step, 10.0, "batch")
    assert worst(whole, tensors["step.out"]) < 1e-6
    rows = advance(tensors["step.sample"], tensors["step.v"], step, 10.0, "row")
    assert worst(rows, tensors["step.out"]) > 1e-5
    alone = advance(tensors["step.sample"][:1], tensors["step.v"][:1], step, 10.0, "batch")
    assert torch.allclose(rows[:1], alone, atol=1e-6)


RUNS = {
    "d1": (HALF, 15.0, {}, 5e-4),
    "d1b": (evolve(HALF, decay=1.0), 15.0, {}, 5e-4),
    "d2": (PLAIN, 5.0, {}, 5e-4),
    "d4": (PLAIN, 5.0, {}, 5e-4),
    "d4b": (HALF, 15.0, {}, 5e-4),
    "d6": (evolve(PLAIN, kind="cfg"), 5.0, {}, 2e-3),
    "d7": (PLAIN, 5.0, {"solver": "heun"}, 5e-4),
    "d7b": (HALF, 15.0, {"solver": "heun"}, 5e-4),
    "d8": (evolve(PLAIN, kind="cfg_star"), 5.0, {}, 2e-3),
    "d9": (PLAIN, 1.0, {}, 5e-4),
    "d10": (PLAIN, 5.0, {"omega": 0.0}, 5e-4),
    "d11": (evolve(PLAIN, text_scale=5.0, lyric_scale=1.5), 5.0, {}, 2e-3),
}
CALLS = {"d1": 45, "d1b": 45, "d4b": 45, "d7": 89, "d7b": 74, "d9": 30, "d11": 90}


@pytest.mark.parametrize("name", RUNS)
@torch.no_grad()
def test_the_sampler(pipe, name):
    guidance, scale, others, limit = RUNS[name]
    tensors, counted = golden("D"), []
    pipe.options = Options(guidance, mean="batch", **others)
    song = inputs(tensors, "in_nolyrics" if name in ("d4", "d4b") else "in")
    handle = pipe.transformer.register_forward_pre_hook(lambda *_: counted.append(pipe.now))
    made = pipe.sample(tensors["in.noise"], contexts(pipe.transformer, *song, guidance), 30, scale)
    handle.remove()
    assert worst(made, tensors[f"{name}.out"]) < limit
    assert len(counted) == CALLS.get(name, 60)


@torch.no_grad()
def test_the_null_context_has_the_conditional_mask(pipe):
    tensors = golden("D")
    made = contexts(pipe.transformer, *inputs(tensors, "in"), PLAIN)
    assert worst(made["cond"][0], tensors["d2.ctx"]) < 1e-5
    assert worst(made["uncond"][0], tensors["d2.ctx_null"]) < 1e-5
    assert torch.equal(made["cond"][1], made["uncond"][1])


STEERED = {
    "e0": (),
    "e1": tuple(("out", layer) for layer in (6, 7)),
    "e1_blk": tuple(("residual", layer) for layer in (6, 7)),
}


@pytest.mark.parametrize("name", [*STEERED, "e4"])
def test_interventions_through_the_engine(folder, name):
    tensors = golden("E")
    model = ace_folder.golden_model(folder, UPSTREAM)
    if name == "e4":
        items = [PatchText("other", range(24), branch="cond")]
    else:
        items = [
            AddVector(Site(slot, layer), TensorRef.of(tensors["v"][layer - 6]), 3.0, renorm=True, unit="raw")
            for slot, layer in STEERED[name]
        ]
    (clip,) = run(model, [Row("own", interventions=tuple(items), settings=Settings(steps=30, guidance=5.0))])
    assert worst(clip.latents, tensors[f"{name}.out"][0]) < 5e-4


@pytest.fixture
def small(shelf):
    return shelf.load("ace-step")


def test_the_pass_without_lyrics_is_a_branch_of_its_own(folder):
    double = Guidance(interval=1.0, text_scale=5.0, lyric_scale=1.5)
    model = ace_folder.AceStep.load(str(folder), options=Options(double))
    assert set(model.branches(5.0, 4)) == {"cond", "uncond", "text"}
    settings = Settings(seconds=1.0, steps=2)
    push = AddVector(Site("out", 0), TensorRef.of(torch.ones(32)), 1.0)
    plain = Row("a tune", settings=settings)
    rows = {one: evolve(plain, interventions=(evolve(push, branch=one),)) for one in model.branches(5.0, 2)}
    clips = [clip.latents for clip in run(model, [plain, *rows.values()])]
    assert all(worst(one, two) > 1e-3 for one, two in itertools.combinations(clips, 2))
    with pytest.raises(SpecError, match="addresses branch 'text', but this run has cond"):
        run(ace_folder.AceStep.load(str(folder)), [rows["text"]])


def test_the_null_prompt_of_entropy_rectifying_guidance_depends_on_the_prompt(small):
    one = small.pipe.encode(["a calm tune"])
    two = small.pipe.encode(["a loud song"])
    assert worst(one["uncond"][0], two["uncond"][0]) > 1e-2
    plain = Options(evolve(small.pipe.options.guidance, erg_text=False))
    pipe = AceStepPipeline(
        small.pipe.text, small.pipe.transformer, small.pipe.decoder, small.pipe.vocoder, small.pipe.vocabulary, plain
    )
    assert torch.equal(pipe.encode(["a calm tune"])["uncond"][0], pipe.encode(["a loud song"])["uncond"][0])


def test_the_unconditional_branch_is_there_only_inside_the_window(small):
    assert small.branches(5.0, 30) == {"cond": range(30), "uncond": range(7, 22)}
    assert small.branches(1.0, 30) == {"cond": range(30)}
    from tada_core import Schedule

    vector = TensorRef.of(torch.ones(small.layers[0].width))
    early = AddVector(Site("out", 3), vector, 1.0, branch="uncond", schedule=Schedule(0.0, 0.2))
    with pytest.raises(SpecError, match=r"steps 0 to 5 of 30, where branch 'uncond' is not there.* steps 7 to 21"):
        small.generate(Generation("a calm tune", steps=30), early)


def test_a_donor_of_another_length_is_patched_with_its_mask(small):
    settings = Settings(seconds=1.0, steps=2, guidance=5.0)
    donor = "a fast loud happy song"
    patched = Row("a tune", settings=settings, interventions=(PatchText(donor, range(24)),))
    clips = run(small, [patched, Row(donor, settings=settings), Row("a tune", settings=settings)])
    assert worst(clips[0].latents, clips[1].latents) < 1e-5 * float(clips[1].latents.abs().max())
    assert worst(clips[0].latents, clips[2].latents) > 1e-2


def test_it_runs_in_half_precision_and_with_parts_on_the_cpu(folder):
    tune = Generation("a calm tune", steps=2, seconds=1.0)
    half = ace_folder.AceStep.load(str(folder), dtype=torch.bfloat16)
    assert {one.dtype for one in half.denoiser.parameters()} == {torch.bfloat16}
    plain, offloaded = (ace_folder.AceStep.load(str(folder), offload=offload) for offload in (False, True))
    clips = [model.generate(tune)[0] for model in (plain, offloaded, offloaded, half)]
    assert all(clip.audio.samples.dtype == torch.float32 for clip in clips)
    assert torch.equal(clips[0].latents, clips[1].latents)
    assert torch.equal(clips[0].audio.samples, clips[2].audio.samples)
    assert 0 < worst(clips[0].latents, clips[3].latents) < 0.2 * float(clips[0].latents.abs().max())


def test_every_network_and_option_identifies_it(folder):
    from tada_bench.identity import fingerprint

    def told(**options):
        return fingerprint(ace_folder.AceStep.load(str(folder), options=options))

    plain, whole = ace_folder.AceStep.load(str(folder)), told(mean="batch")
    assert fingerprint(plain) == told(omega=10.0) != whole == told(mean="batch")
    assert told(guidance={"interval": 1.0}) not in (whole, fingerprint(plain))
    before = fingerprint(plain)
    plain.pipe.vocoder.load_state_dict({k: 2 * v for k, v in plain.pipe.vocoder.state_dict().items()})
    assert fingerprint(plain) != before
    for wrong in ({"omga": 1.0}, {"mean": "clip"}):
        with pytest.raises(SpecError, match="options of 'ace-step'"):
            told(**wrong)


def test_parameters_that_inference_never_uses_are_not_loaded(folder, transformer):
    stored = load_file(folder / "ace_step_transformer" / "diffusion_pytorch_model.safetensors")
    unused = sum(value.numel() for name, value in stored.items() if name not in transformer.state_dict())
    assert unused > 0.1 * sum(value.numel() for value in stored.values())


def test_a_foreign_checkpoint_is_refused(folder):
    from tada_ace_step.transformer import AceStepTransformer

    with pytest.raises(CheckpointError, match="parameters missing"):
        read_module(AceStepTransformer, folder / "music_vocoder", torch.float32)
