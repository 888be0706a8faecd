"""Numbers as a person reads them, the same in the terminal, in tables and on the page."""

from __future__ import annotations

from collections.abc import Sequence

from tada_bench.protocol.bootstrap import Estimate


def number(value: float | None) -> str:
    """A number with three significant digits; n/a where it is undefined."""
    if value is None:
        return "n/a"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def interval(found: Estimate) -> str:
    """A number with its interval in brackets."""
    if found.low is None or found.high is None:
        return number(found.value)
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"


def share(value: float | None) -> str:
    """A share of a whole in percent; n/a where it is undefined."""
    return "n/a" if value is None else f"{value:.0%}"


def chance(value: float | None) -> str:
    """A probability as papers print it, ".031"; n/a where it is undefined."""
    return "n/a" if value is None else f"{value:.3g}".removeprefix("0")


def span(layers: Sequence[int]) -> str:
    """Layer numbers with runs of three and more shortened: "0-7", "2, 3"."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
