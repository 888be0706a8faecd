"""CLAP and LPAPS of one sweep of strengths, against the public way, as a ratio of CPU times in one run.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_clap.py

The public way makes the network and reads the checkpoint for CLAP and again for LPAPS at every strength, runs one
window at a time, and for LPAPS runs the reference again with every clip. Random weights of the real sizes (HTSAT-base,
roberta-base). It is laion-clap's own class where that is installed (benchmarks/golden/clap.py says how); elsewhere our
network stands in for it, which flatters the public way.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tada_clap.checkpoint import read
from tada_clap.clap import Clap
from tada_clap.distance import TOKENS, lpaps
from tada_clap.encoder import Encoder
from tada_clap.lpaps import Lpaps
from tada_clap.network import build
from tada_clap.spectrum import RATE, cut
from tada_core.audio import Audio
from tada_core.concept import Concept

TESTS = Path(__file__).parents[2] / "tests"
sys.path.insert(0, str(TESTS))

import clap_weights as given  # noqa: E402

FAST = Concept("tempo", "{p}, fast", "{p}, slow", ("a tune",), ("a song",), queries={"": given.TEXTS[0]})
STRENGTHS = 3
"""Clips of one prompt, the first of them at strength 0; a published sweep has 31, and 100 prompts."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of the real sizes, and a tokenizer."""
    made = tmp_path_factory.mktemp("clap")
    shapes = json.loads((TESTS / "golden" / "clap" / "names.json").read_text())["HTSAT-base"]
    torch.save({"state_dict": given.weights(shapes)}, made / "clap.pt")
    given.tokenizer(made)
    return made


def load(folder: Path) -> Encoder:
    """Our network read from the checkpoint, one window at a time, nothing kept."""
    return Encoder(build(read(folder / "clap.pt"), "clap.pt"), str(folder), "cpu", 1, 0.0)


class Laion:
    """laion-clap's module, with the two doors of `Encoder` that the public way goes through."""

    def __init__(self, folder: Path) -> None:
        script = spec_from_file_location("record_clap", TESTS.parent / "benchmarks" / "golden" / "clap.py")
        assert script and script.loader
        self.script: Any = module_from_spec(script)
        script.loader.exec_module(self.script)
        self.module = self.script.build(self.script.roberta(), given.tokenizer(folder), small=False)
        self.module.model.load_state_dict(torch.load(folder / "clap.pt")["state_dict"], strict=False)

    @torch.inference_mode()
    def hear(self, window: Tensor) -> list[Tensor]:
        """Embedding and stages of a window."""
        embedding, stages = self.script.hear(self.module, window)
        return [embedding[None], *(stage[None] for stage in stages)]

    @torch.inference_mode()
    def read(self, text: str) -> Tensor:
        """Embedding of a text."""
        found: Tensor = self.module.get_text_embedding([text], use_tensor=True)[0]
        return found


class Ours:
    """The same doors to our network."""

    def __init__(self, folder: Path) -> None:
        self.encoder = load(folder)
        self.read = self.encoder.read

    def hear(self, window: Tensor) -> Sequence[Tensor]:
        """Embedding and stages of a window."""
        return self.encoder._pass(window[None])


def public(network: Callable[[Path], Any], folder: Path, clips: Sequence[Tensor]) -> tuple[list[float], list[float]]:
    """Similarities and distances, strength by strength."""
    similar, away = [], [0.0]
    for clip in clips:
        clap = network(folder)
        text = clap.read(given.TEXTS[0])
        similar.append(mean(clap.hear(window)[0][0] @ text for window in cut(clip)))
    for clip in clips[1:]:
        clap = network(folder)
        pairs = zip(cut(clip), cut(clips[0]), strict=True)
        away.append(mean(lpaps(clap.hear(first)[1:], clap.hear(other)[1:], TOKENS) for first, other in pairs))
    return similar, away


def mean(values: Any) -> float:
    """Mean of one-element tensors."""
    return float(torch.stack([value.reshape(()) for value in values]).mean())


def ours(folder: Path, clips: Sequence[Tensor]) -> tuple[list[float], list[float]]:
    """The same by the two metrics, from weights that nobody has read yet."""
    audio = [Audio(clip[None], RATE) for clip in clips]
    options = {"weights": str(folder / "clap.pt"), "tokenizer": str(folder), "device": "cpu"}
    return (
        Clap(**options).score(audio, FAST).tolist(),
        Lpaps(**options).score(audio, [audio[0]] * len(audio)).tolist(),
    )


@pytest.mark.benchmark(group="CLAP and LPAPS of a sweep")
def test_sweep(benchmark: Any, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Three clips of 30 s: 28 passes of HTSAT and five readings of the checkpoint, against 12 and one.

    A sweep of 31 strengths takes 364 passes against 124; with 100 prompts a reading counts for a hundredth of this.
    """
    clips = [given.clip(str(strength), 30.0) for strength in range(STRENGTHS)]
    network = Laion if find_spec("laion_clap") else Ours
    taken: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.process_time()
        found = work()
        taken[name] = time.process_time() - started
        return found

    def turn() -> None:
        theirs = timed("public", lambda: public(network, folder, clips))
        for one, other in zip(theirs, timed("ours", lambda: ours(folder, clips)), strict=True):
            assert other == pytest.approx(one, abs=1e-4)
        timed("public network", lambda: network(folder))
        timed("our network", lambda: load(folder))

    benchmark.pedantic(turn, rounds=1)
    theirs = taken["public"] - (2 * STRENGTHS - 1) * taken["public network"]
    ratio, passes = taken["public"] / taken["ours"], theirs / (taken["ours"] - taken["our network"])
    benchmark.extra_info |= {"ratio": ratio, "ratio of passes": passes, "seconds": taken, "network": network.__name__}
    with capsys.disabled():
        print(f"\n{network.__name__}, the public way: {ratio:.1f} times our CPU time, passes alone {passes:.1f} times")
        print({name: round(seconds, 1) for name, seconds in taken.items()})
    assert ratio > (4.0 if network is Laion else 2.2)
