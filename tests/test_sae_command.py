"""`tada train-sae`: prompts, cost, a sweep on one stream, its folders and figures, resuming, and what is refused."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tiny
import torch
from attrs import evolve

import tada_sae.training
from tada_bench.app import main
from tada_core import Concept, Entry, Settings, SparseAutoencoder, hookimpl
from tada_core.errors import ArtifactError, SpecError
from tada_registry import front
from tada_registry.gate import Gate
from tada_registry.plugin import Plugin, installed_plugins
from tada_registry.registry import Registry
from tada_sae import source
from tada_sae.cost import cost, frames
from tada_sae.folder import folder_of, layers_in
from tada_sae.formats import read_saelens
from tada_sae.live import summary
from tada_sae.prompts import captions, of_concepts
from tada_sae.settings import Spec, StreamSettings, TrainerSettings, TrainSettings
from tada_sae.stream import row_batches, stream
from tada_sae.sweep import Sweep
from tada_sae.trainer import Trainer

SPEED = Concept("speed", "fast {p}", "slow {p}", prompts=("a song", "a tune"), evaluation=("the song",))
Result = tuple[int, str, str]
Run = Callable[..., Result]


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, tiny_folder: Path) -> list[str]:
    """Registers the small model and a concept; gives the options that choose the model."""
    module: Any = ModuleType("made_up_for_autoencoders")
    module.Tiny, module.SPEED = tiny.Tiny, SPEED
    module.tada_models = hookimpl(lambda: [Entry("model", "tiny", f"{module.__name__}:Tiny")])
    module.tada_concepts = hookimpl(lambda: [Entry("concept", "speed", f"{module.__name__}:SPEED")])
    monkeypatch.setitem(sys.modules, module.__name__, module)
    plugin = Plugin("made-up", "made-up", "1", EntryPoint("made-up", module.__name__, "tada"))
    made = Registry([*installed_plugins(), plugin], Gate())
    monkeypatch.setattr(front, "registry", lambda: made)
    return ["--on", "tiny", "--source", str(tiny_folder), "--concept", "speed"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `tada train-sae`; gives its exit status, stdout and stderr."""

    def call(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as stop:
            main(["train-sae", *map(str, arguments)])
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return call


QUICK = ["--every", 2, "--seeds", "0,1", "--batch", 16, "--rate", 1e-2, "--set", "warmup=3", "--save-every", 1]


def test_a_caption_is_one_prompt_however_often_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a song\n\n a tune \na song\n")
    assert captions(tmp_path / "a.txt") == ("a song", "a tune")


def test_prompts_of_concepts_are_all_sides_each_once() -> None:
    found = of_concepts([SPEED, evolve(SPEED, positive="loud {p}")])
    assert found == (
        *("fast a song", "slow a song", "a song", "fast a tune", "slow a tune", "a tune"),
        *("loud a song", "loud a tune"),
    )


SETTINGS = TrainSettings(
    TrainerSettings(batch=16), StreamSettings(every=3, seeds=(0, 1), buffer=64, settings=Settings(steps=4))
)


def test_the_cost_is_what_the_stream_gives(model: tiny.Tiny) -> None:
    prompts, specs = ("a song", "a tune", "the organ"), (Spec(0, 2, 4), Spec(2, 3, 4))
    found = cost(model, prompts, specs, SETTINGS)
    given = list(stream(model, row_batches(model, prompts, SETTINGS.stream), (0, 2), 3))
    assert found.tokens == {layer: sum(len(tokens[layer]) for tokens in given) for layer in (0, 2)}
    assert (found.clips, found.autoencoders) == (6, 2)
    assert found.weights == sum(4 * (2 * m * 32 + m + 32) for m in (64, 96))
    assert found.checkpoint == 3 * found.weights + 4 * 2 * 64 * 32
    assert "144 tokens of each of 2 layers, 9 steps of 16" in str(found)


@pytest.mark.parametrize("name", ["audioldm2", "musicgen", "ace-step", "longcat"])
def test_frames_are_counted_in_one_call(name: str, shelf: Any) -> None:
    """Of layers of several lengths, of one position at a time, of guidance in calls of its own."""
    from models.cases import SMALL

    made, settings = shelf.load(name), SMALL[name].settings
    layers = made.pick(None)
    rows = row_batches(made, ["a calm tune"], StreamSettings(seeds=(0,), settings=settings))
    own = made.batch(rows[0])
    (tokens,) = stream(made, rows, layers, 1)
    calls = len(made.branches(own.guidance, own.steps)["cond"])
    assert {layer: count * calls for layer, count in frames(made, rows[0][0], layers).items()} == {
        layer: len(found) for layer, found in tokens.items()
    }


def test_too_few_tokens_are_refused_before_any_clip_is_made(on: list[str], run: Run, tmp_path: Path) -> None:
    status, out, err = run(*on, "--out", tmp_path, "--seeds", 0)
    assert (status, out) == (2, "")
    assert "layer 0 would give 72 tokens, fewer than a batch of 4,096" in err
    assert "--batch" in err
    assert "of 6 clips" not in err
    assert not list(tmp_path.iterdir())


def test_a_sweep_on_one_stream(on: list[str], run: Run, tmp_path: Path, model: tiny.Tiny) -> None:
    arguments = [*on, *QUICK, "--layers", "0,2", "--expansion", "2", "--k", "4,8", "--out", tmp_path]
    status, out, err = run(*arguments)
    assert status == 0, err
    assert "on tiny: 12 clips; 288 tokens of each of 2 layers, 18 steps of 16; 4 autoencoders" in err
    assert "12 of 12 clips, explained " in err
    assert all(f"m2-k{k}/layer.{layer}" in out for k in (4, 8) for layer in (0, 2))
    assert "dead is 0 because" in out
    sweep = Sweep.from_json((tmp_path / "sweep.json").read_text())
    assert [(one.layer, one.expansion, one.k, one.steps) for one in sweep.trials] == [
        *((0, 2, 4, 18), (0, 2, 8, 18)),
        *((2, 2, 4, 18), (2, 2, 8, 18)),
    ]
    assert (tmp_path / "sweep.png").stat().st_size > 10_000
    for one in sweep.trials:
        about = json.loads((tmp_path / one.folder / "cfg.json").read_text())
        assert (about["architecture"], about["d_in"], about["d_sae"], about["k"]) == ("topk", 32, 64, one.k)
        told = about["metadata"]
        assert (told["model"], told["layer"], told["path"]) == ("tiny", one.layer, model.layer(one.layer).path)
        assert told["figures"]["explained"] == one.explained
        assert (told["trainer"]["rate"], told["trainer"]["warmup"], told["stream"]["every"]) == (0.01, 3, 2)
        assert told["stream"]["settings"]["steps"] == 4
    read = source.read(tmp_path / "m2-k8", [model.layer(0), model.layer(2)])
    assert {layer: sae.k for layer, sae in read.items()} == {0: 8, 2: 8}
    with pytest.raises(ArtifactError, match=r"choose one of: .*m2-k4, .*m2-k8"):
        layers_in(tmp_path)
    assert layers_in(tmp_path / "m2-k4") == (0, 2)
    again = run(*arguments, "--json")
    assert Sweep.from_json(again[1]) == sweep


def weights(folder: Path) -> list[SparseAutoencoder]:
    return [read_saelens(path) for path in sorted(folder.glob("layer.*"))]


class StoppedError(Exception):
    """Raised in the middle of a training."""


def test_the_same_command_goes_on_where_it_was_stopped(
    on: list[str], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*on, *QUICK, "--layers", "0,1", "--k", "4", "--buffer", 40]
    monkeypatch.setattr(tiny.Tiny, "find_defaults", lambda self: evolve(DEFAULTS(self), batch=4))
    assert run(*arguments, "--out", tmp_path / "whole")[0] == 0

    def stopping(*given: Any) -> Iterator[Mapping[int, torch.Tensor]]:
        yield next(iter(stream(*given)))
        raise StoppedError

    monkeypatch.setattr(tada_sae.training, "stream", stopping)
    with pytest.raises(StoppedError):
        main(["train-sae", *map(str, arguments), "--out", str(tmp_path / "parts")])
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["checkpoint.pt"]
    monkeypatch.setattr(tada_sae.training, "stream", stream)
    status, _, err = run(*arguments, "--out", tmp_path / "parts")
    assert status == 0
    assert err.count("\n4 of 12 clips") == 1, "those of the first part are not made again"
    assert weights(tmp_path / "parts") == weights(tmp_path / "whole")
    assert len(weights(tmp_path / "parts")) == 2
    status, _, err = run(*arguments, "--out", tmp_path / "parts", "--set", "seed=1")
    assert status == 2
    assert "of another training: other trainer settings" in err


DEFAULTS = tiny.Tiny.find_defaults


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--set", "warm=3"], "unknown setting 'warm'; nearest: warmup"),
        (["--set", "warmup=soon"], "no such value"),
        (["--selection", "some"], "selection"),
        (["--k", "many"], "--k takes whole numbers"),
        (["--k", "999"], "fewer than k = 999"),
        (["--layers", "7"], "layer '7'"),
        (["--captions", "none.txt"], "leave one of them out"),
        (["--buffer", "20", "--batch", "64"], "buffer of 20 tokens gives no batch of 64"),
    ],
)
def test_what_the_command_refuses(on: list[str], run: Run, tmp_path: Path, more: list[str], words: str) -> None:
    status, out, err = run(*on, "--seeds", "0,1", "--batch", 16, *more, "--out", tmp_path)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_captions_take_the_place_of_concepts(on: list[str], run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a song\na fast tune\n")
    own = [*on[:4], *QUICK, "--captions", tmp_path / "a.txt", "--layers", 1, "--k", 4, "--out", tmp_path / "b"]
    status, _, err = run(*own)
    assert (status, "on tiny: 4 clips" in err) == (0, True)
    assert [path.name for path in (tmp_path / "b").iterdir() if path.is_dir()] == ["layer.1"]
    assert json.loads((tmp_path / "b/layer.1/cfg.json").read_text())["metadata"]["prompts"] == 2


def test_one_expansion_and_k_need_no_folder_of_their_own() -> None:
    one, wide, sparse = Spec(3, 2, 8), Spec(4, 4, 8), Spec(3, 2, 16)
    assert folder_of(one, [one, Spec(4, 2, 8)]) == Path("layer.3")
    assert folder_of(one, [one, wide]) == Path("m2-k8/layer.3")
    assert folder_of(sparse, [one, sparse]) == Path("m2-k16/layer.3")


def test_the_summary_says_how_all_of_them_are_doing() -> None:
    trainers = {Spec(0, 2, k): Trainer(8, Spec(0, 2, k), TrainerSettings(rate=1e-2, warmup=0)) for k in (1, 8)}
    assert summary(trainers) == "filling the buffer"
    for _ in range(30):
        for one in trainers.values():
            one.step(torch.randn(64, 8))
    low, high = (one.figures().explained for one in trainers.values())
    assert low < high
    assert summary(trainers).startswith(f"explained {round(100 * low)} to {round(100 * high)} %, dead 0 %, dense ")


def test_a_sweep_that_is_none() -> None:
    with pytest.raises(SpecError, match="not a sweep"):
        Sweep.from_json('{"type": "Impact"}')
