"""Bad input: a clear error before any work starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tiny
import torch

from tada_core import Ablate, AddVector, BlendScore, Generation, PatchText, Row, Settings, Site, TensorRef, run
from tada_core.errors import CheckpointError, SpecError, TadaError, UnknownNameError


@pytest.fixture
def idle(model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch) -> tiny.Tiny:
    """A model that fails the test as soon as it is asked to sample."""

    def never(_: Any) -> None:
        pytest.fail("work started before the input was checked")

    monkeypatch.setattr(model, "sample", never)
    return model


def vector(*shape: int) -> TensorRef:
    return TensorRef.of(torch.ones(*shape))


@pytest.mark.parametrize(
    ("item", "error", "words"),
    [
        (PatchText("x", (7,)), UnknownNameError, "layer '7'.*layers 0 to 2"),
        (PatchText(" ", (1,)), SpecError, "empty prompt"),
        (BlendScore("x", "", 1), SpecError, "empty prompt"),
        (AddVector(Site("out", 9), vector(32), 1), UnknownNameError, "layer '9'"),
        (AddVector(Site("out", 1), vector(31), 1), SpecError, r"width 31, but out\[1\] is 32"),
        (AddVector(Site("q", 1), vector(31), 1), SpecError, r"width 31, but q\[1\] is 32"),
        (AddVector(Site("out", 1), vector(2, 2, 32), 1), SpecError, r"\[width\] or \[steps, width\]"),
        (AddVector(Site("out", 1), TensorRef("0" * 64, (32,)), 1), SpecError, "load_spec"),
        (AddVector(Site("prompt"), vector(32), 1), SpecError, "use q, k, v, out or residual"),
        (Ablate(Site("text", 1)), SpecError, "use q, k, v, out or residual"),
    ],
)
def test_a_spec_the_model_cannot_run(idle: tiny.Tiny, item: Any, error: type[TadaError], words: str) -> None:
    with pytest.raises(error, match=words):
        run(idle, Generation("a song").rows(item))


def test_a_branch_that_is_not_there(idle: tiny.Tiny) -> None:
    item = AddVector(Site("out", 1), vector(32), 1, branch="uncond")
    with pytest.raises(SpecError, match="branch 'uncond', but this run has cond"):
        run(idle, Generation("a song", guidance=1.0).rows(item))


def test_lyrics_for_a_model_that_does_not_sing(idle: tiny.Tiny) -> None:
    with pytest.raises(SpecError, match="row 0 has lyrics, but 'tiny' does not sing"):
        run(idle, Generation("a song", lyrics="la la la").rows())


def test_nothing_to_run(idle: tiny.Tiny) -> None:
    with pytest.raises(SpecError, match="no rows"):
        run(idle, [])
    with pytest.raises(SpecError, match="batch_size"):
        run(idle, [Row("a song")], batch_size=0)


@pytest.mark.parametrize("settings", [{"seconds": 0}, {"steps": -1}])
def test_settings_must_be_positive(settings: dict[str, float]) -> None:
    with pytest.raises(SpecError, match="above zero"):
        Settings(**settings)  # type: ignore[arg-type]


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model_index\.json is missing"):
        tiny.Tiny.load(str(tmp_path))


def test_an_incomplete_folder_names_what_is_missing(tiny_folder: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(tiny_folder, folder)
    (folder / "transformer" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"diffusion_pytorch_model|transformer"):
        tiny.Tiny.load(str(folder))
