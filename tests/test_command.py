"""The `tada` command, in this process, on a small random model."""

import json
import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import numpy as np
import pytest
import soundfile
import tiny
import torch

import tada_registry as tada
from tada_bench.app import main
from tada_core import Concept, Entry, Generation, Impact, Metric, PatchText, Schedule, hookimpl, save_spec
from tada_core.errors import UnknownNameError
from tada_registry import front
from tada_registry.gate import Gate
from tada_registry.plugin import Plugin, installed_plugins
from tada_registry.registry import Registry

SPEED = Concept("speed", "fast {p}", "slow {p}", prompts=("a song", "a tune"), evaluation=("the song",))


class Peakiness(Metric):
    """Mean absolute sample, for any model."""

    name = "peakiness"
    kind = "alignment"
    unit = "full scale"

    def score(self, clips, against=None):
        return np.array([float(clip.samples.abs().mean()) for clip in clips], dtype=np.float64)


@pytest.fixture
def on(monkeypatch, tiny_folder):
    """Registers the small model, a concept it can read and a metric; gives the options that choose the model."""
    module = ModuleType("made_up_for_commands")
    module.Tiny, module.Peakiness = tiny.Tiny, Peakiness
    module.SPEED = SPEED
    for hook, entry in {
        "tada_models": Entry("model", "tiny", f"{module.__name__}:Tiny"),
        "tada_metrics": Entry("metric", "peakiness", f"{module.__name__}:Peakiness"),
        "tada_concepts": Entry("concept", "speed", f"{module.__name__}:SPEED"),
    }.items():
        setattr(module, hook, hookimpl(lambda entry=entry: [entry]))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    plugin = Plugin("made-up", "made-up", "1", EntryPoint("made-up", module.__name__, "tada"))
    made = Registry([*installed_plugins(), plugin], Gate())
    monkeypatch.setattr(front, "registry", lambda: made)
    return ["--on", "tiny", "--source", str(tiny_folder)]


@pytest.fixture
def run(capsys):
    """Runs the command; gives its exit status, stdout and stderr."""

    def call(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return stop.value.code, out, err

    return call


def refused(result, *words):
    """The one line of a refused command."""
    status, out, err = result
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert all(word in err for word in words), err


def test_help_lists_every_command(run):
    status, out, _ = run("--help")
    assert status == 0
    assert all(f"  {entry.name} " in out for entry in tada.entries("command"))


def test_version_is_the_installed_one(run):
    assert run("--version") == (0, "tada 0.1.0\n", "")


def test_plugins_prints_a_table_of_names(run):
    status, out, _ = run("plugins")
    assert status == 0
    assert all(entry.name in out for entry in tada.entries())


def test_commands_stay_when_their_plugin_is_left_out(run, monkeypatch):
    from tada_bench import app

    monkeypatch.setattr(app, "entries", lambda kind: ())
    status, out, _ = run("--help")
    assert (status, "localize" in out, "train-etude" in out) == (0, True, False)


def test_unknown_names_give_one_line_with_neighbours(run, on, tmp_path):
    refused(run("plugin"), "unknown command 'plugin'", "plugins")
    refused(run("localize", "sped", *on), "unknown concept 'sped'", "speed", "tada plugins")
    refused(run("localize", "speed", "--readout", "peakines"), "unknown metric 'peakines'", "peakiness")
    refused(run("localize", "speed", "--readout", "peakiness", "--on", "tyni"), "unknown model 'tyni'", "tiny")
    refused(run("fit", "ca", "speed", "--out", tmp_path / "a"), "unknown method 'ca'", "caa")
    refused(run("fit", "caa", "speed", "--layers", "9", "--out", tmp_path / "a", *on), "unknown layer '9'", "0 to 2")


def test_errors_show_their_traceback_when_debugging(run, monkeypatch):
    monkeypatch.setenv("TADA_DEBUG", "1")
    with pytest.raises(UnknownNameError):
        main(["plugin"])


def test_layers_are_listed(run, on):
    status, out, _ = run("layers", "tiny", *on[2:])
    assert status == 0
    assert all(word in out for word in ("transformer_blocks.2.attn2", "text q k v out residual", "32"))
    status, out, _ = run("layers", "tiny", *on[2:], "--json")
    rows = json.loads(out)
    assert [row["layer"] for row in rows] == [0, 1, 2]
    assert rows[0]["slots"] == ["text", "q", "k", "v", "out", "residual"]


def test_a_model_is_loaded_as_the_command_says(run, on, tmp_path, monkeypatch):
    seen = []
    inner = tiny.Tiny.load.__func__
    monkeypatch.setattr(
        tiny.Tiny, "load", classmethod(lambda kind, *a, **how: seen.append(how) or inner(kind, *a, **how))
    )
    how = ("--load", "dtype=bfloat16", "--load", "device=cpu", "--load", "offload=false")
    status, _, err = run("generate", "a song", *on, *how, "--steps", 1, "--out", tmp_path)
    assert status == 0, err
    assert seen == [{"dtype": torch.bfloat16, "device": "cpu", "offload": False}]
    refused(run("layers", "tiny", *on[2:], "--load", "dtype=bf16"), "unknown dtype 'bf16'", "bfloat16")
    refused(run("layers", "tiny", *on[2:], "--load", "cuda"), "--load takes NAME=VALUE", "'cuda'")
    refused(run("layers", "musicgen", "--load", "topk=1"), "unknown option of model 'musicgen' 'topk'", "top_k")


def test_lists_of_numbers_are_checked(run, on, tmp_path):
    refused(run("fit", "caa", "speed", "--layers", "two", "--out", tmp_path), "--layers takes whole numbers", "'two'")
    refused(run("fit", "caa", "speed", "--set", "pairs", "--out", tmp_path), "NAME=VALUE", "'pairs'")
    refused(run("fit", "caa", "speed", "--set", "pears=2", "--out", tmp_path), "unknown option", "nearest: pairs")
    refused(run("generate", "a song", "--seeds", "0;1"), "--seeds takes whole numbers", "'0;1'")


def test_localize_prints_json_and_writes_the_scores(run, on, tmp_path):
    out = tmp_path / "deep" / "speed.json"
    status, text, err = run(
        "localize", "speed", *on, "--readout", "peakiness", "--pairs", 2, "--seeds", 2, "--json", "--out", out
    )
    assert status == 0, err
    data = json.loads(text)
    saved = Impact.from_json(out.read_text())
    assert [row["layer"] for row in data["layers"]] == [0, 1, 2]
    assert [row["impact"] for row in data["layers"]] == [float(value) for value in saved.values]
    assert (data["model"], data["concept"], data["readout"], data["base"]) == ("tiny", "speed", "peakiness", "neutral")
    assert saved.patched.shape == (3, 2, 2)


def test_localize_draws_and_prints_a_table(run, on, tmp_path):
    out = tmp_path / "speed.png"
    options = ("--readout", "peakiness", "--pairs", 1, "--seeds", 1, "--base", "opposite")
    status, text, err = run("localize", "speed", *on, *options, "--out", out)
    assert status == 0, err
    assert "impact" in text
    assert "base opposite" in text
    assert out.read_bytes().startswith(b"\x89PNG")


def test_localize_refuses_a_format_before_any_work(run, on, tmp_path):
    words = ("localize", "speed", *on, "--readout", "peakiness")
    refused(run(*words, "--out", tmp_path / "speed.txt"), "speed.txt", ".png")
    refused(run(*words, "--base", "middle"), "middle", "neutral or opposite")


def test_localize_patches_other_parts_in_other_ways(run, on, tmp_path):
    words = ("localize", "speed", *on, "--readout", "peakiness", "--seeds", 1, "--json")
    pairs = tmp_path / "pairs.json"
    pairs.write_text('[{"positive": "a fast song", "negative": "a slow song"}]')
    options = ("--pairs-file", pairs, "--slot", "out", "--mode", "noising", "--stages", 2)
    status, text, err = run(*words, *options)
    assert status == 0, err
    data = json.loads(text)
    assert [row["part"] for row in data["parts"]] == ["0+1+2 @ 0-50 %", "0+1+2 @ 50-100 %"]
    assert (data["base"], data["slot"], data["mode"], data["generations"]) == ("pair", "out", "noising", 4)
    status, text, err = run(*words, "--pairs", 1, "--couples")
    assert [row["part"] for row in json.loads(text)["parts"]] == ["0+1", "0+2", "1+2"], err
    refused(run(*words, "--couples", "--stages", 2), "--couples and --stages")
    refused(run(*words, "--mode", "back"), "denoising, noising or ablation")


def test_localize_checks_a_cheaper_map(run, on, tmp_path):
    cheap = tmp_path / "cheap.json"
    words = ("localize", "speed", *on, "--readout", "peakiness", "--seeds", 1, "--pairs", 1)
    assert run(*words, "--out", cheap)[0] == 0
    status, out, _ = run(*words, "--check", cheap, "--top", 1, "--random", 1, "--json")
    found = json.loads(out)
    assert (status, len(found["layers"]), found["agreement"]["misses"]) == (0, 2, [])
    refused(run(*words, "--check", tmp_path / "none.json"), "cannot read the map", "none.json")


def test_localize_screens(run, on):
    words = ("localize", "speed", *on, "--readout", "peakiness", "--seeds", 1, "--json", "--screen")
    status, text, err = run(*words, "--pairs", 2, "--top", 1)
    assert status == 0, err
    data = json.loads(text)
    assert (len(data["layers"]), data["generations"]) == (3, 2 * (3 + 2))
    refused(run(*words, "--top", 3), "ask for 1 to 2")


@pytest.fixture(scope="module")
def artifact(model):
    """CAA fitted on two layers of the small model."""
    return tada.get_method("caa", pairs=1).fit(model, SPEED, layers=(1, 2), seeds=(0, 1))


@pytest.fixture
def fitted(artifact, tmp_path):
    """A folder with the fitted artefact."""
    return artifact.save_pretrained(tmp_path / "fitted")


def test_fit_saves_what_the_method_fits(run, on, artifact, tmp_path):
    folder = tmp_path / "made"
    options = ("--layers", "1,2", "--seeds", "0,1", "--set", "pairs=1")
    status, out, err = run("fit", "caa", "speed", *on, *options, "--out", folder)
    assert (status, out) == (0, f"{folder}\n"), err
    saved = tada.load_artifact(folder)
    assert (saved.method, saved.layers) == ("caa", (1, 2))
    assert saved.tensors.keys() == artifact.tensors.keys()
    assert all(torch.equal(saved.tensors[name], artifact.tensors[name]) for name in saved.tensors)


def test_generate_writes_the_clips_the_library_makes(run, on, artifact, fitted, model, tmp_path):
    steering = ["--with", fitted, "--strength", "0.5", "--with", fitted, "--strength", "-2", "--unit", "raw"]
    out = tmp_path / "clips"
    status, text, err = run("generate", "a song", *on, "--seeds", "0,3", *steering, "--out", out, "--json")
    assert status == 0, err
    clips = model.generate(Generation("a song", (0, 3)), artifact.at(0.5, "raw"), artifact.at(-2, "raw"))
    for data, clip in zip(json.loads(text), clips, strict=True):
        assert (data["prompt"], data["seed"]) == ("a song", clip.row.seed)
        clip.save(tmp_path / "own.flac")
        assert np.array_equal(soundfile.read(data["path"])[0], soundfile.read(tmp_path / "own.flac")[0])
    plain = run("generate", "a song", *on, "--seeds", "3", "--out", tmp_path / "plain")[1].strip()
    assert not np.array_equal(soundfile.read(plain)[0], soundfile.read(out / "seed-3.flac")[0])


def test_generate_reads_interventions_generations_and_rows(run, on, tmp_path):
    patch = PatchText("fast {p}", (0, 2), schedule=Schedule(0.0, 0.5))
    generation = Generation("a song", (5,), template="calm {p}", steps=3)
    (row,) = generation.rows(patch)
    made = {}
    for name, value, prompt in (("patch", patch, "a song"), ("generation", generation, None), ("row", row, None)):
        spec = save_spec(value, tmp_path / f"{name}.json")
        words = ("generate", *([prompt] if prompt else []), *on, "--spec", spec, "--out", tmp_path / name, "--json")
        status, text, err = run(*words)
        assert status == 0, err
        (made[name],) = json.loads(text)
    assert [made[name]["prompt"] for name in made] == ["a song", "calm a song", "calm a song"]
    sounds = [soundfile.read(data["path"])[0] for data in made.values()]
    assert not any(np.array_equal(sounds[a], sounds[b]) for a, b in ((0, 1), (0, 2), (1, 2)))


def test_generate_refuses_what_cannot_be_meant(run, on, fitted, tmp_path):
    spec = save_spec(Generation("a song"), tmp_path / "spec.json")
    refused(run("generate", *on), "nothing to play")
    refused(run("generate", " ", *on), "prompt is empty")
    refused(run("generate", "a tune", "--spec", spec, *on), "already says what to play", "prompt")
    refused(run("generate", "a tune", "--spec", tmp_path / "none.json", *on), "cannot read the spec")
    refused(run("generate", "a tune", "--with", fitted, "--strength", 1, "--strength", 2, *on), "1 artefacts", "2 str")
    refused(run("generate", "a tune", "--with", tmp_path, *on), "config.json")
    refused(run("generate", "a tune", "--with", fitted, "--unit", "dose", *on), "dose")
    schedule = save_spec(Schedule(0.0, 0.5), tmp_path / "schedule.json")
    refused(run("generate", "a tune", "--spec", schedule, *on), "holds a Schedule")


def test_an_artefact_of_another_model_is_refused_before_work(run, on, fitted):
    config = json.loads((fitted / "config.json").read_text())
    (fitted / "config.json").write_text(json.dumps({**config, "model": "other"}))
    refused(run("generate", "a tune", "--with", fitted, *on), "fitted on 'other', not on 'tiny'")


def test_a_folder_that_cannot_be_written_is_refused_before_work(run, on, tmp_path):
    taken = tmp_path / "file"
    taken.write_text("")
    refused(run("fit", "caa", "speed", *on, "--out", taken), str(taken))


def test_train_etude_trains_goes_on_and_exports(run, tmp_path):
    work, weights = tmp_path / "work", tmp_path / "weights"
    assert run("train-etude", work, "--tiny", "--steps", 2)[1].startswith("step 2, loss ")
    status, out, err = run("train-etude", work, "--tiny", "--steps", 3, "--export", weights)
    assert (status, out.splitlines()[1:]) == (0, [f"pipeline: {weights}"]), err
    assert out.startswith("step 3, loss ")
    (clip,) = tada.load_model("etude", str(weights)).generate(Generation("a tune", steps=2))
    assert clip.audio.seconds > 4


def test_new_plugin_writes_a_project_once(run, tmp_path):
    folder = tmp_path / "tada-nudge"
    assert run("new-plugin", "nudge", "--folder", folder)[0] == 0
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {
        "pyproject.toml",
        "README.md",
        "tada_nudge/__init__.py",
        "tada_nudge/method.py",
        "tests/test_nudge.py",
    }
    text = "".join((folder / path).read_text() for path in files)
    assert "NAME" not in text
    assert "MODULE" not in text
    refused(run("new-plugin", "nudge", "--folder", folder), "exists already")
    refused(run("new-plugin", "Bad Name"), "'Bad Name' is no plugin name")
