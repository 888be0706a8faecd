"""A picture of localisations: impact of every part on every concept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tada_core.localization.impact import Impact


def plot_impacts(impacts: Sequence[Impact], path: str | Path) -> Path:
    """Heat map parts x concepts, each cell with its impact; one row per result."""
    from matplotlib.figure import Figure

    grid = np.stack([one.values for one in impacts])
    names = impacts[0].names
    wide = max(len(name) for name in names) > 3
    figure = Figure(figsize=(1.6 + 0.62 * len(names), 1.1 + wide + 0.5 * len(impacts)), layout="constrained")
    axes = figure.add_subplot()
    top = max(1.0, float(np.nanmax(grid)))
    image = axes.imshow(grid, cmap="viridis", vmin=0.0, vmax=top, aspect="auto")
    for (row, column), value in np.ndenumerate(grid):
        shade = "black" if value > 0.6 * top else "white"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=shade)
    axes.set_xticks(range(len(names)), names, rotation=90 if wide else 0)
    axes.set_yticks(range(len(impacts)), [one.concept for one in impacts])
    axes.set_xlabel(f"layer of {impacts[0].model}")
    figure.colorbar(image, ax=axes, label="share of the prompt swap")
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=160)
    return target
