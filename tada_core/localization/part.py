"""Parts of a model: layers and a window of the trajectory that are patched together."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from attrs import field, frozen

from tada_core.adapter import ModelAdapter
from tada_core.convert import ints
from tada_core.errors import SpecError
from tada_core.schedule import ALWAYS, Schedule


def _layers(layers: int | Iterable[int]) -> tuple[int, ...]:
    chosen = (layers,) if isinstance(layers, int) else tuple(sorted(set(ints(layers))))
    if not chosen:
        raise SpecError("a part needs at least one layer; write Part(3) or Part((2, 5))")
    return chosen


@frozen
class Part:
    """What one patched run changes.

    Attributes:
        layers: one index or several, patched together.
        schedule: the window of the trajectory (default: all of it).

    Raises:
        SpecError: no layer.
    """

    layers: tuple[int, ...] = field(converter=_layers)
    schedule: Schedule = ALWAYS

    @property
    def name(self) -> str:
        """Layers joined by +, and the window in percent where it is not the whole trajectory: "2+5 @ 0-33 %"."""
        layers = "+".join(str(layer) for layer in self.layers)
        start, end = self.schedule.start, self.schedule.end
        return layers if (start, end) == (0.0, 1.0) else f"{layers} @ {100 * start:.0f}-{100 * end:.0f} %"


def singles(model: ModelAdapter) -> tuple[Part, ...]:
    """Every layer of a model on its own, in execution order."""
    return tuple(Part(layer.index) for layer in model.layers)


def couples(layers: Iterable[int]) -> tuple[Part, ...]:
    """Every pair of some layers.

    Raises:
        SpecError: fewer than two layers.
    """
    chosen = _layers(layers)
    if len(chosen) < 2:
        raise SpecError(f"couples need at least two layers, not {len(chosen)}")
    return tuple(Part(pair) for pair in combinations(chosen, 2))


def stages(n: int, layers: Iterable[int]) -> tuple[Part, ...]:
    """The trajectory cut into n windows of equal length, some layers together in each, from noise to clip.

    Raises:
        SpecError: fewer than one window, or no layer.
    """
    if n < 1:
        raise SpecError(f"stages must be at least 1, not {n}")
    chosen = _layers(layers)
    return tuple(Part(chosen, Schedule(stage / n, (stage + 1) / n)) for stage in range(n))
