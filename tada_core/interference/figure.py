"""The picture of an interference report: cosines, effects of each artefact alone, and what pairs do together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tada_core.maths.interference import KINDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tada_core.interference.interference import Interference

LETTER: float = 0.075
"""Inches that a letter of a label takes."""

MARGIN: float = 0.3
"""Inches between labels."""

CLEAR, UNCLEAR, BLANK = "black", "0.55", "0.93"
DASH = "\u2013"


def draw(found: Interference, path: str | Path) -> Path:
    """Write the picture; the ending names the format."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure(found).savefig(target, dpi=160)
    return target


def figure(found: Interference) -> Figure:
    """The picture; columns are as wide as the longest name asks for, so that no label meets its neighbour."""
    from matplotlib.figure import Figure

    n = len(found.names)
    lines = [line for name in (*found.names, *found.readings) for line in _two_lines(name).split("\n")]
    column, beside = (LETTER * max(map(len, some)) + MARGIN for some in (lines, found.names))
    heights = [0.5 * n, 0.5 * n, 0.36 * n * (n - 1)]
    made = Figure(figsize=(beside + n * max(column, 1.1) + 1.5, sum(heights) + 3.6), layout="constrained")
    upper, middle, lower = made.subplots(3, height_ratios=heights)
    _cosines(upper, found)
    _effects(middle, found)
    _together(lower, found)
    made.suptitle(f"{found.model}, read by {found.readout}\ngrey: the 95 % interval holds 0", fontsize=9)
    return made


def _cosines(axes: Any, found: Interference) -> None:
    names = [_two_lines(name) for name in found.names]
    _heat(axes, found.cosines, np.ones_like(found.cosines, dtype=bool), names, "cosine")
    axes.set_xticks(range(len(names)), names, fontsize=8)
    axes.set_title("directions, where both artefacts write", fontsize=10)


def _effects(axes: Any, found: Interference) -> None:
    """Two columns per artefact: turned up, turned down."""
    n, share, clear = len(found.names), found.shares, found.clear
    cells, inked = (np.stack([one[0], one[1]], axis=-1).reshape(n, 2 * n) for one in (share, clear))
    _heat(axes, cells, inked, list(found.readings), "prompt swaps")
    labels = [f"{sign * amount:+g}" for amount in found.strengths for sign in (1, -1)]
    axes.set_xticks(range(2 * n), labels, fontsize=8)
    for j in range(1, n):
        axes.axvline(2 * j - 0.5, color="black", linewidth=1.5)
    # Below the strengths: an axis of its own, a line of text further down.
    named = axes.secondary_xaxis("bottom")
    named.set_xticks([2 * j + 0.5 for j in range(n)], [_two_lines(name) for name in found.names], fontsize=8)
    named.tick_params(length=0, pad=18)
    axes.set_title("what each artefact alone does to every concept", fontsize=10)


def _together(axes: Any, found: Interference) -> None:
    """One line per ordered pair: the gap to the sum of both alone."""
    n, kind = len(found.names), KINDS.index("gap")
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    share, clear, (low, high) = found.shares[kind], found.clear[kind], found.intervals
    for place, at in enumerate(pairs):
        ink = CLEAR if clear[at] else UNCLEAR
        axes.plot([low[4 + kind][at], high[4 + kind][at]], [place, place], color=ink, linewidth=1.5)
        axes.plot(share[at], place, "o", color=ink, markersize=4)
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(pairs)), [f"{found.names[i]}\n+ {found.names[j]}" for i, j in pairs], fontsize=8)
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.tick_params(axis="x", labelsize=8)
    axes.set_xlabel("both together less the sum of each alone,\nin swaps of the first one's prompt", fontsize=8)
    axes.set_title("additivity", fontsize=10)


def _heat(axes: Any, values: NDArray[np.float64], inked: NDArray[np.bool_], rows: list[str], label: str) -> None:
    """A diverging map of -1 to 1 with its numbers; a dash where there is none."""
    axes.set_facecolor(BLANK)
    image = axes.imshow(values, cmap="RdBu_r", vmin=-1.0, vmax=1.0, aspect="auto", alpha=0.85)
    for (row, column), value in np.ndenumerate(values):
        dark = bool(abs(value) > 0.75)
        ink = ("white" if dark else CLEAR) if inked[row, column] else UNCLEAR
        text = DASH if np.isnan(value) else f"{round(value, 2) + 0.0:+.2f}"
        axes.text(column, row, text, ha="center", va="center", fontsize=8, color=ink)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    bar = axes.figure.colorbar(image, ax=axes, extend="both" if label != "cosine" else "neither", ticks=(-1, 0, 1))
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=8)


def _two_lines(name: str) -> str:
    """A name with its first word, the method's, on a line of its own."""
    return name.replace(" ", "\n", 1)
