"""Cost of the engine on every model, as ratios of one run: `pytest benchmarks/speed/test_models.py`.

The models are the tests' small random instances, a layer or two of a few features each. Python's share of the time is
largest there: on published sizes the overhead is smaller (see real_size.py).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tada_core import AddVector, ModelAdapter, Row, Settings, Site, TensorRef, run
from tada_core.engine.run import sample

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from models.cases import SMALL, Shelf

ROWS = 4

pytestmark = pytest.mark.filterwarnings("ignore:Should have t:UserWarning")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The small models."""
    return Shelf(lambda: tmp_path_factory.mktemp("model"))


def rows(model: ModelAdapter, settings: Settings, layers: int) -> list[Row]:
    """Rows that push each of the first `layers` layers, each row by another strength."""
    ones = {layer: TensorRef.of(torch.ones(layer.width)) for layer in model.layers[:layers]}
    return [
        Row(
            "a calm tune",
            seed,
            settings=settings,
            interventions=tuple(AddVector(Site("out", layer.index), v, 0.01 * seed) for layer, v in ones.items()),
        )
        for seed in range(1, ROWS + 1)
    ]


@pytest.mark.parametrize("name", SMALL)
def test_overhead(ratios: Any, shelf: Shelf, name: str) -> None:
    """The engine with 0, 1, 2 and all layers steered, against the plain pipeline."""
    model, settings = shelf.load(name), SMALL[name].settings
    batch = model.batch(rows(model, settings, 0))
    works: dict[str, Callable[[], object]] = {"plain": lambda: model.sample(batch)}
    for layers in sorted({0, 1, 2, len(model.layers)}):
        wanted = rows(model, settings, layers)
        works[f"{layers} layers"] = lambda wanted=wanted: sample(model, wanted, range(ROWS), None)
    ratios(works, rounds=15)


@pytest.mark.parametrize("name", SMALL)
def test_rows(ratios: Any, shelf: Shelf, name: str) -> None:
    """Rows with different interventions in one batch, and one after the other; decoder included."""
    model = shelf.load(name)
    wanted = rows(model, SMALL[name].settings, 2)
    ways = {f"{ROWS} together": ROWS, "one by one": 1}
    works = {
        way: lambda size=size: run(model, wanted, batch_size=size, progress=lambda *_: None)
        for way, size in ways.items()
    }
    ratios(works, rounds=7)
