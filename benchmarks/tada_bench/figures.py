"""Trade-off curves and layer maps as figures for papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tada_bench.results import ArmResult

if TYPE_CHECKING:
    from tada_core.localization.impact import Impact

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's palette, told apart with any colour vision."""

MARKERS, LINES = "osD^vPX", ("-", "--", ":")
"""Markers are not as many as colours, and lines change where colours begin again, so that many arms look different."""

HEIGHT = 3.5

BANDS = 4
"""With more arms than these their intervals hide everything, and are left to the tables."""


def plot_curves(results: Sequence[ArmResult], units: Mapping[str, str], change: str, path: Path) -> Path:
    """One panel per concept: mean change across, mean gain upwards, a band for the interval of the gain of few arms.

    Args:
        results: of one metric.
        units: of the alignment metric by concept.
        change: what the preservation metric measures, with its unit.
        path: the ending names the format.
    """
    from matplotlib.figure import Figure

    concepts = list(dict.fromkeys(result.concept for result in results))
    figure = Figure(figsize=(3.4 * len(concepts), HEIGHT), layout="constrained")
    _curves(figure, concepts, results, units, change)
    figure.savefig(path, dpi=160)
    return path


def plot_overview(
    impacts: Sequence[Impact], results: Sequence[ArmResult], units: Mapping[str, str], change: str, path: Path
) -> Path:
    """The benchmark in one picture: impact of every layer above, trade-off curves below; arguments as `plot_curves`."""
    from matplotlib.figure import Figure

    concepts = list(dict.fromkeys(result.concept for result in results))
    heights = (0.55 + 0.36 * len(impacts), HEIGHT)
    figure = Figure(figsize=(max(3.4 * len(concepts), 6.8), sum(heights)), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=heights)
    above, below = parts
    _heat(above.subplots(), impacts)
    _curves(below, concepts, results, units, change)
    figure.savefig(path, dpi=160)
    return path


def _heat(axes: Any, impacts: Sequence[Impact]) -> None:
    grid = [impact.values for impact in impacts]
    axes.imshow(grid, cmap="Blues", vmin=0.0, vmax=1.2, aspect="auto")
    for row, impact in enumerate(impacts):
        for column, value in enumerate(impact.values):
            shade = "white" if value > 0.7 else "black"
            axes.text(
                column, row, f"{round(float(value), 2) + 0.0:.2f}", ha="center", va="center", fontsize=8, color=shade
            )
    axes.set_xticks(range(len(impacts[0].layers)), [f"layer {layer}" for layer in impacts[0].layers], fontsize=8)
    axes.set_yticks(range(len(impacts)), [impact.concept for impact in impacts])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _curves(
    figure: Any, concepts: Sequence[str], results: Sequence[ArmResult], units: Mapping[str, str], change: str
) -> None:
    arms = list(dict.fromkeys(result.arm for result in results))
    panels = figure.subplots(1, len(concepts), squeeze=False)[0]
    for concept, axes in zip(concepts, panels, strict=True):
        for result in results:
            if result.concept == concept:
                _draw(axes, result, arms.index(result.arm))
                if len(arms) <= BANDS and all(point.gain.low is not None for point in result.points):
                    _band(axes, result, arms.index(result.arm))
        axes.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        axes.set_title(concept, loc="left")
        axes.set_ylabel(f"gain [{units[concept]}]")
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(change, fontsize=9)
    lines = {text: line for axes in panels for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    columns, place = min(len(arms), 2 * len(concepts)), "outside upper center"
    figure.legend([lines[arm] for arm in arms], arms, loc=place, ncols=columns, frameon=False, fontsize=8)


def _draw(axes: Any, result: ArmResult, index: int) -> None:
    axes.plot(
        [point.change.value for point in result.points],
        [point.gain.value for point in result.points],
        color=COLOURS[index % len(COLOURS)],
        marker=MARKERS[index % len(MARKERS)],
        markersize=4 if len(result.points) <= 15 else 3,
        linestyle=LINES[index // len(COLOURS) % len(LINES)],
        linewidth=1.4,
        label=result.arm,
    )


def _band(axes: Any, result: ArmResult, index: int) -> None:
    """The interval of the gain on either side."""
    for side in (1, -1):
        points = [point for point in result.points if side * point.strength >= 0]
        axes.fill_between(
            [point.change.value for point in points],
            [point.gain.low for point in points],
            [point.gain.high for point in points],
            color=COLOURS[index % len(COLOURS)],
            alpha=0.13,
            linewidth=0,
        )
