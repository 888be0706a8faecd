"""The result of a localisation: scores of every run, impact per layer, intervals, table, JSON and picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import asdict, field, frozen
from numpy.typing import NDArray

from tada_core.convert import ints, texts
from tada_core.errors import SpecError
from tada_core.maths.impact import impact
from tada_core.statistics import bootstrap

Array = NDArray[np.float64]


def _array(values: Any) -> Array:
    return np.asarray(values, dtype=np.float64)


@frozen(eq=False)
class Impact:
    """How much of a concept each layer carries.

    Attributes:
        model, concept, readout, base: what was measured, with which metric, from which prompt ("neutral", "opposite").
        layers: the layers, in execution order.
        paths: their module paths.
        prompts, seeds: the pairs behind the scores.
        source, target: scores without and with the concept's prompt, [prompts, seeds].
        patched: scores with one layer reading the concept's prompt, [layers, prompts, seeds].
    """

    model: str
    concept: str
    readout: str
    base: str
    layers: tuple[int, ...] = field(converter=ints)
    paths: tuple[str, ...] = field(converter=texts)
    prompts: tuple[str, ...] = field(converter=texts)
    seeds: tuple[int, ...] = field(converter=ints)
    source: Array = field(converter=_array)
    target: Array = field(converter=_array)
    patched: Array = field(converter=_array)

    @property
    def values(self) -> Array:
        """I(l, c) per layer, not clipped."""
        return impact(self.patched, self.source, self.target)

    @property
    def intervals(self) -> tuple[Array, Array]:
        """95 % bootstrap interval of every layer's impact, over prompts and seeds."""
        return bootstrap(
            lambda p, s: impact(self.patched[:, p, s], self.source[p, s], self.target[p, s]),
            len(self.prompts),
            len(self.seeds),
        )

    @property
    def effect(self) -> float:
        """Change of the readout by swapping the whole prompt, in the readout's unit."""
        return float(self.target.mean() - self.source.mean())

    def top(self, n: int) -> tuple[int, ...]:
        """The n layers of largest impact, in execution order.

        Raises:
            SpecError: more than there are, or the whole prompt swap had no effect.
        """
        if not 1 <= n <= len(self.layers):
            raise SpecError(f"top({n}) of {len(self.layers)} layers; ask for 1 to {len(self.layers)}")
        if np.isnan(self.values).any():
            raise SpecError(f"swapping the prompt did not change '{self.readout}': no layer can be singled out")
        order = np.argsort(-self.values, kind="stable")[:n]
        return tuple(sorted(self.layers[index] for index in order))

    def table(self) -> list[dict[str, Any]]:
        """One row per layer: layer, path, impact, low, high."""
        low, high = self.intervals
        return [
            {"layer": layer, "path": path, "impact": float(value), "low": float(lo), "high": float(hi)}
            for layer, path, value, lo, hi in zip(self.layers, self.paths, self.values, low, high, strict=True)
        ]

    def to_json(self) -> str:
        """Everything, scores included, as JSON."""
        data = asdict(self, value_serializer=lambda _, __, v: v.tolist() if isinstance(v, np.ndarray) else v)
        return json.dumps({"type": "Impact", **data}, indent=2)

    @classmethod
    def from_json(cls, text: str) -> Impact:
        """What `to_json` wrote.

        Raises:
            SpecError: it is not such a result.
        """
        try:
            data = json.loads(text)
            if data.pop("type") != "Impact":
                raise ValueError("type is not Impact")
            return cls(**data)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SpecError(f"not a localisation result: {error}") from error

    def plot(self, path: str | Path) -> Path:
        """Draw impact per layer with intervals; the ending names the format (.png, .svg, .pdf)."""
        return plot_impacts([self], path)


def plot_impacts(impacts: Sequence[Impact], path: str | Path) -> Path:
    """Heat map layers x concepts, each cell with its impact; one row per result."""
    from matplotlib.figure import Figure

    grid = np.stack([one.values for one in impacts])
    layers = impacts[0].layers
    figure = Figure(figsize=(1.6 + 0.62 * len(layers), 1.1 + 0.5 * len(impacts)), layout="constrained")
    axes = figure.add_subplot()
    top = max(1.0, float(np.nanmax(grid)))
    image = axes.imshow(grid, cmap="viridis", vmin=0.0, vmax=top, aspect="auto")
    for (row, column), value in np.ndenumerate(grid):
        shade = "black" if value > 0.6 * top else "white"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=shade)
    axes.set_xticks(range(len(layers)), [str(layer) for layer in layers])
    axes.set_yticks(range(len(impacts)), [one.concept for one in impacts])
    axes.set_xlabel(f"layer of {impacts[0].model}")
    figure.colorbar(image, ax=axes, label="share of the prompt swap")
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=160)
    return target
