"""Cost of the engine on every model, as ratios of one run: `pytest benchmarks/speed/test_models.py`.

The models are the tests' small random instances, a layer or two of a few features each. Python's share of the time is
largest there: on published sizes the overhead is smaller (see real_size.py).
"""

from __future__ import annotations

import sys
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


@pytest.mark.parametrize("layers", ["plain", 0, 1, 2, "all"])
@pytest.mark.parametrize("name", SMALL)
def test_overhead(benchmark: Any, shelf: Shelf, name: str, layers: int | str) -> None:
    """The plain pipeline against the engine with 0, 1, 2 and all layers steered."""
    benchmark.group = f"{name}: overhead of the engine"
    model, settings = shelf.load(name), SMALL[name].settings
    count = {"plain": 0, "all": len(model.layers)}.get(str(layers), layers)
    wanted = rows(model, settings, int(count))
    if layers == "plain":
        batch = model.batch(wanted)
        benchmark.pedantic(lambda: model.sample(batch), rounds=10, warmup_rounds=2)
    else:
        benchmark.pedantic(lambda: sample(model, wanted, range(ROWS), None), rounds=10, warmup_rounds=2)


@pytest.mark.parametrize("size", [1, ROWS])
@pytest.mark.parametrize("name", SMALL)
def test_rows(benchmark: Any, shelf: Shelf, name: str, size: int) -> None:
    """Rows with different interventions, one after the other and in one batch; decoder included."""
    benchmark.group = f"{name}: {ROWS} rows, batches of"
    model = shelf.load(name)
    wanted = rows(model, SMALL[name].settings, 2)
    benchmark.pedantic(lambda: run(model, wanted, batch_size=size, progress=lambda *_: None), rounds=5, warmup_rounds=1)
