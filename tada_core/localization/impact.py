"""The result of a localisation: scores of every run, impact per part, intervals, table and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from tada_core.convert import array, ints, texts
from tada_core.errors import SpecError
from tada_core.localization.pair import Pair
from tada_core.localization.part import Part
from tada_core.maths.impact import Mode, impact
from tada_core.results import from_json, to_json
from tada_core.schedule import Schedule
from tada_core.statistics import bootstrap

Array = NDArray[np.float64]


def _parts(parts: Iterable[Part | Mapping[str, Any]]) -> tuple[Part, ...]:
    return tuple(part if isinstance(part, Part) else _part(**part) for part in parts)


def _part(layers: Iterable[int], schedule: Mapping[str, float]) -> Part:
    return Part(ints(layers), Schedule(**schedule))


def _pairs(pairs: Iterable[Pair | Mapping[str, str]]) -> tuple[Pair, ...]:
    return tuple(pair if isinstance(pair, Pair) else Pair(**pair) for pair in pairs)


@frozen(eq=False)
class Impact:
    """How much of a concept each part of a model carries.

    Attributes:
        model, concept, readout: what was measured, with which metric.
        base: what the source reads: the concept's "neutral" or "opposite" prompt, or the negative side of each "pair".
        layers: the layers that the parts are made of, in execution order.
        paths: their module paths.
        prompts, seeds: behind the scores; with `pairs` the prompts are their negative sides.
        source, target: scores without and with the concept's prompt, [prompts, seeds].
        patched: scores with one part changed, [parts, prompts, seeds]; NaN at prompts a part was not tried on, which
            come last.
        parts: what was changed in each patched run (default: every layer on its own).
        slot: what was patched: "text", "k", "v" or "out".
        mode: "denoising", "noising" or "ablation"; see `tada_core.maths.impact`.
        pairs: the counterfactual pairs, where the prompts were not the concept's own.
        generations: clips made for it, donors of slot "out" included.
    """

    model: str
    concept: str
    readout: str
    base: str
    layers: tuple[int, ...] = field(converter=ints)
    paths: tuple[str, ...] = field(converter=texts)
    prompts: tuple[str, ...] = field(converter=texts)
    seeds: tuple[int, ...] = field(converter=ints)
    source: Array = field(converter=array)
    target: Array = field(converter=array)
    patched: Array = field(converter=array)
    parts: tuple[Part, ...] = field(converter=_parts)
    slot: str = "text"
    mode: Mode = "denoising"
    pairs: tuple[Pair, ...] = field(default=(), converter=_pairs)
    generations: int = field()

    @parts.default
    def _every_layer(self) -> tuple[Part, ...]:
        return tuple(Part(layer) for layer in self.layers)

    @generations.default
    def _clips(self) -> int:
        return int(self.source.size + self.target.size + np.isfinite(self.patched).sum())

    @property
    def tried(self) -> tuple[int, ...]:
        """How many prompts each part was tried on; all of them, but for a screening."""
        return tuple(int(count) for count in (~np.isnan(self.patched).all(-1)).sum(1))

    @property
    def values(self) -> Array:
        """Impact per part, not clipped."""
        values = np.full(len(self.parts), np.nan)
        for prompts, chosen in self._groups():
            values[chosen] = self._impact(chosen, np.arange(prompts)[:, None], np.arange(len(self.seeds)))
        return values

    @property
    def intervals(self) -> tuple[Array, Array]:
        """95 % bootstrap interval of every part's impact, over the prompts it was tried on and the seeds."""
        low, high = np.full((2, len(self.parts)), np.nan)
        for prompts, chosen in self._groups():
            low[chosen], high[chosen] = bootstrap(
                lambda p, s, chosen=chosen: self._impact(chosen, p, s),  # type: ignore[misc]
                prompts,
                len(self.seeds),
            )
        return low, high

    def _groups(self) -> list[tuple[int, NDArray[np.int64]]]:
        """Parts that were tried on equally many prompts: how many, and which."""
        tried = np.array(self.tried)
        return [(int(count), np.flatnonzero(tried == count)) for count in np.unique(tried) if count]

    def _impact(self, chosen: NDArray[np.int64], p: Any, s: Any) -> Array:
        return impact(self.patched[chosen][:, p, s], self.source[p, s], self.target[p, s], self.mode)

    @property
    def effect(self) -> float:
        """Change of the readout by swapping the whole prompt, in the readout's unit."""
        return float(self.target.mean() - self.source.mean())

    @property
    def names(self) -> tuple[str, ...]:
        """The parts' names, such as "3", "2+5" or "2+5 @ 0-33 %"."""
        return tuple(part.name for part in self.parts)

    def best(self, n: int) -> tuple[Part, ...]:
        """The n parts of largest impact, in their own order; in a screening first those that were tried longest.

        Raises:
            SpecError: more than there are, or the whole prompt swap had no effect.
        """
        if not 1 <= n <= len(self.parts):
            what = "layers" if self._all_single else "parts"
            raise SpecError(f"top({n}) of {len(self.parts)} {what}; ask for 1 to {len(self.parts)}")
        values = self.values
        if np.isnan(values).any():
            raise SpecError(f"swapping the prompt did not change '{self.readout}': no layer can be singled out")
        order = np.lexsort((-values, -np.array(self.tried)))
        return tuple(self.parts[index] for index in sorted(order[:n]))

    def top(self, n: int) -> tuple[int, ...]:
        """The layers of the n parts of largest impact, in execution order; raises as `best`."""
        return tuple(sorted({layer for part in self.best(n) for layer in part.layers}))

    @property
    def _all_single(self) -> bool:
        """Whether the parts are the layers, one by one."""
        return self.parts == tuple(Part(layer) for layer in self.layers)

    def table(self) -> list[dict[str, Any]]:
        """One row per part: layer and path, or part; impact, low, high; prompts, where not all were tried on all."""
        values, (low, high), tried = self.values, self.intervals, self.tried
        shown: dict[str, tuple[Any, ...]] = {"layer": self.layers, "path": self.paths}
        if not self._all_single:
            shown = {"part": self.names}
        shown |= {name: tuple(column.tolist()) for name, column in (("impact", values), ("low", low), ("high", high))}
        if len(set(tried)) > 1:
            shown["prompts"] = tried
        return [dict(zip(shown, row, strict=True)) for row in zip(*shown.values(), strict=True)]

    def to_json(self) -> str:
        """Everything, scores included, as JSON; null stands for a run that was not made."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Impact:
        """What `to_json` wrote, also by versions that knew no parts.

        Raises:
            SpecError: it is not such a result.
        """
        return from_json(cls, text, "a localisation result")

    def plot(self, path: str | Path) -> Path:
        """Draw impact per part with intervals; the ending names the format (.png, .svg, .pdf)."""
        from tada_core.localization.heatmap import plot_impacts

        return plot_impacts([self], path)
