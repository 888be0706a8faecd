"""Cost of the engine, as ratios measured side by side in one run: `pytest benchmarks/speed`.

Absolute times mean nothing on another machine and nothing asserts one; the table at the end gives the ratios.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from tada_core import AddVector, Generation, ModelAdapter, Site, TensorRef, run

ROWS, STEPS = 4, 4
PROMPT = Generation("a piano tune for the evening", seeds=tuple(range(ROWS)), steps=STEPS)


def direction(model: ModelAdapter) -> TensorRef:
    """A fixed unit vector."""
    vector = torch.randn(model.layers[0].width, generator=torch.Generator().manual_seed(0))
    return TensorRef.of(vector / vector.norm())


def steering(model: ModelAdapter, layers: int) -> list[AddVector]:
    """The same small push at the first `layers` layers."""
    return [AddVector(Site("out", layer), direction(model), 1e-3) for layer in range(layers)]


@contextmanager
def hooks(model: ModelAdapter, layers: int) -> Iterator[None]:
    """The same push, written by hand."""
    v = direction(model).tensor()

    def push(_: Any, __: Any, h: Tensor) -> Tensor:
        half, changed = h.shape[0] // 2, h.clone()
        moved = h[half:] + 1e-3 * v
        changed[half:] = moved * (h[half:].norm(dim=-1, keepdim=True) / moved.norm(dim=-1, keepdim=True))
        return changed

    handles = [
        model.denoiser.get_submodule(model.layers[layer].path).register_forward_hook(push) for layer in range(layers)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def sampled(model: ModelAdapter, layers: int) -> Callable[[], object]:
    """Sampling through the engine, decoder left out."""
    from tada_core.engine.run import sample

    rows = PROMPT.rows(steering(model, layers))
    return lambda: sample(model, rows, range(ROWS), None)


@pytest.mark.benchmark(group="overhead of the engine")
@pytest.mark.parametrize("layers", ["plain", 0, 1, 2, "all"])
def test_overhead(benchmark: Any, model: ModelAdapter, layers: int | str) -> None:
    """The plain pipeline against the engine with 0, 1, 2 and all sites."""
    if layers == "plain":
        batch = model.batch(PROMPT.rows())
        benchmark.pedantic(lambda: model.sample(batch), rounds=8, warmup_rounds=1)
    else:
        count = len(model.layers) if layers == "all" else int(layers)
        benchmark.pedantic(sampled(model, count), rounds=8, warmup_rounds=1)


@pytest.mark.benchmark(group="overhead of the engine")
@pytest.mark.parametrize("layers", [1, 2, "all"])
def test_hand_written_hooks(benchmark: Any, model: ModelAdapter, layers: int | str) -> None:
    """What a person would write for this one model."""
    batch = model.batch(PROMPT.rows())
    with hooks(model, len(model.layers) if layers == "all" else int(layers)):
        benchmark.pedantic(lambda: model.sample(batch), rounds=8, warmup_rounds=1)


@pytest.mark.benchmark(group="a sweep of strengths, per clip")
@pytest.mark.parametrize("how", ["plain 8", "plain 16", "sweep 8", "sweep 16"])
def test_sweep(benchmark: Any, model: ModelAdapter, how: str) -> None:
    """Sixteen strengths at two layers against sixteen plain clips, decoder included."""
    kind, size = how.split()
    strengths = [(index - 8) / 16 for index in range(16)]
    prompt = Generation("a piano tune for the evening", steps=STEPS)
    sites = [Site("out", 2), Site("out", 3)]
    if kind == "plain":
        rows = [row for _ in strengths for row in prompt.rows()]
        benchmark.pedantic(lambda: plain(model, rows, int(size)), rounds=3, warmup_rounds=1)
    else:
        rows = [r for a in strengths for r in prompt.rows(*(AddVector(s, direction(model), a, "norm") for s in sites))]
        benchmark.pedantic(lambda: run(model, rows, batch_size=int(size)), rounds=3, warmup_rounds=1)


def plain(model: ModelAdapter, rows: list[Any], size: int) -> None:
    """The pipeline and its decoder without the engine."""
    for start in range(0, len(rows), size):
        batch = model.batch(rows[start : start + size])
        model.decode(model.sample(batch), batch)


@pytest.mark.benchmark(group="start of the command")
@pytest.mark.parametrize("arguments", ["--help", "plugins"])
def test_command(benchmark: Any, arguments: str) -> None:
    """`tada --help` and `tada plugins` in a fresh process."""
    command = [sys.executable, "-c", "from tada_bench.app import main; main()", arguments]
    benchmark.pedantic(lambda: subprocess.run(command, capture_output=True, check=True), rounds=5, warmup_rounds=1)
