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


def test_overhead(ratios: Any, model: ModelAdapter) -> None:
    """The engine with 0, 1, 2 and all sites, and hooks a person would write for this one model."""
    batch, every = model.batch(PROMPT.rows()), len(model.layers)

    def by_hand(layers: int) -> None:
        with hooks(model, layers):
            model.sample(batch)

    works: dict[str, Callable[[], object]] = {"plain": lambda: model.sample(batch)}
    works |= {f"{layers} sites": sampled(model, layers) for layers in (0, 1, 2, every)}
    works |= {f"{layers} hooks": lambda layers=layers: by_hand(layers) for layers in (1, 2, every)}
    ratios(works, rounds=25)


@pytest.mark.parametrize("size", [8, 16])
def test_sweep(ratios: Any, model: ModelAdapter, size: int) -> None:
    """Sixteen strengths at two layers against sixteen plain clips, decoder included."""
    strengths = [(index - 8) / 16 for index in range(16)]
    prompt, sites = Generation("a piano tune for the evening", steps=STEPS), [Site("out", 2), Site("out", 3)]
    same = [row for _ in strengths for row in prompt.rows()]
    sweep = [r for a in strengths for r in prompt.rows(*(AddVector(s, direction(model), a, "norm") for s in sites))]
    works = {
        f"plain, batches of {size}": lambda: plain(model, same, size),
        "sweep": lambda: run(model, sweep, batch_size=size, progress=lambda *_: None),
    }
    ratios(works, rounds=5)


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
