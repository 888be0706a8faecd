"""etude, loaded once for all measurements, and ratios that a busy machine does not blur."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import pytest

import tada_registry as tada
from tada_core import ModelAdapter

FOUND: dict[str, dict[str, float]] = {}


@pytest.fixture(scope="session")
def model() -> ModelAdapter:
    """The embedded model."""
    loaded: ModelAdapter = tada.load_model("etude")
    return loaded


@pytest.fixture
def ratios(benchmark: Any, request: pytest.FixtureRequest) -> Callable[..., None]:
    """Measures several ways to do the same, in turns; kept and printed: the median ratio of each to the first.

    Turns, because on a machine with other guests the speed of one minute is not that of the next.
    """

    def measure(works: Mapping[str, Callable[[], object]], rounds: int) -> None:
        taken: dict[str, list[float]] = {name: [] for name in works}

        def turn() -> None:
            for name, work in works.items():
                started = time.perf_counter()
                work()
                taken[name].append(time.perf_counter() - started)

        benchmark.pedantic(turn, rounds=rounds, warmup_rounds=1)
        first = next(iter(taken.values()))[1:]
        found = {
            name: median(own / plain for own, plain in zip(all_[1:], first, strict=True))
            for name, all_ in taken.items()
        }
        benchmark.extra_info["ratios"] = FOUND[request.node.name] = found

    return measure


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line of ratios per measurement."""
    for name, found in FOUND.items():
        terminalreporter.write_line(f"{name}: " + ", ".join(f"{way} {ratio:.2f}" for way, ratio in found.items()))
