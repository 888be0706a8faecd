"""The result of measuring how several artefacts disturb each other: scores, intervals, tables, JSON and picture."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from tada_core.convert import array, ints, texts
from tada_core.errors import unknown
from tada_core.interference.figure import draw
from tada_core.interference.table import PARTS
from tada_core.maths.interference import changes, shares
from tada_core.results import from_json, to_json
from tada_core.statistics import bootstrap

Array = NDArray[np.float64]


def _floats(values: Any) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


@frozen(eq=False)
class Interference:
    """How several artefacts disturb each other; concept i is the one that artefact i steers.

    Attributes:
        model, readout: what was measured, with which metric.
        template: what wrapped the base prompts: the neutral templates of the concepts, one inside the other.
        names: the artefacts, "method concept".
        readings: the concept that is read for each artefact; units: the unit of its score.
        strengths, scales: how far each artefact was turned, and in which unit.
        prompts, seeds: the clips behind the scores.
        cosines: of the vectors of two artefacts, [n, n]; NaN where they never write to the same place.
        base, negative, positive: scores of the plain clips and of the concept's own two prompts, [n, prompts, seeds].
        more, less: scores of concept i with artefact j turned up, turned down, [n, n, prompts, seeds].
        both: scores of concept i with artefacts i and j turned up together; NaN for i = j.
    """

    model: str
    readout: str
    template: str
    names: tuple[str, ...] = field(converter=texts)
    readings: tuple[str, ...] = field(converter=texts)
    units: tuple[str, ...] = field(converter=texts)
    strengths: tuple[float, ...] = field(converter=_floats)
    scales: tuple[str, ...] = field(converter=texts)
    prompts: tuple[str, ...] = field(converter=texts)
    seeds: tuple[int, ...] = field(converter=ints)
    cosines: Array = field(converter=array)
    base: Array = field(converter=array)
    negative: Array = field(converter=array)
    positive: Array = field(converter=array)
    more: Array = field(converter=array)
    less: Array = field(converter=array)
    both: Array = field(converter=array)

    @property
    def swap(self) -> Array:
        """Change of each concept's score from its negative prompt to its positive one, [n], in the readout's unit."""
        moved: Array = self.positive.mean((1, 2)) - self.negative.mean((1, 2))
        return moved

    @property
    def changes(self) -> Array:
        """Changes in the readout's unit, [4, n, n]: more, less, beside, gap (see `maths.interference`)."""
        return self._measured(slice(None), slice(None))[:4]

    @property
    def shares(self) -> Array:
        """The same in units of the concept's own prompt swap; NaN where the swap changes nothing."""
        return self._measured(slice(None), slice(None))[4:]

    @cached_property
    def intervals(self) -> tuple[Array, Array]:
        """95 % bootstrap intervals over prompts and seeds, [8, n, n]: of the four changes, then of the four shares."""
        return bootstrap(self._measured, len(self.prompts), len(self.seeds))

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Which changes have an interval without 0, [4, n, n]; none where there is but one clip."""
        low, high = (bound[:4] for bound in self.intervals)
        return ((low > 0) | (high < 0)) & (len(self.prompts) * len(self.seeds) > 1)

    def table(self, part: str = "effects") -> list[dict[str, Any]]:
        """Rows for a person or a program.

        Args:
            part: "effects", what one artefact alone does to every concept; "together", what is left of an artefact's
                effect beside another; "cosines", of the artefacts' vectors. Shares are of the concept's prompt swap.

        Raises:
            UnknownNameError: no such part.
        """
        if part not in PARTS:
            raise unknown("part of the table", part, PARTS)
        return PARTS[part](self)

    def to_json(self) -> str:
        """Everything, scores included, as JSON; what is undefined is null."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Interference:
        """What `to_json` wrote.

        Raises:
            SpecError: it is not such a result.
        """
        return from_json(cls, text, "an interference result")

    def plot(self, path: str | Path) -> Path:
        """Draw cosines, effects and additivity; the ending names the format (.png, .svg, .pdf)."""
        return draw(self, path)

    def _measured(self, p: Any, s: Any) -> Array:
        """Changes and shares, [8, n, n], of some prompts and seeds."""
        n = len(self.names)
        means = self._scores[:, p, s].mean((1, 2))
        base, negative, positive = means[: 3 * n].reshape(3, n)
        changed = changes(base, *means[3 * n :].reshape(3, n, n))
        return np.concatenate([changed, shares(changed, positive - negative)])

    @cached_property
    def _scores(self) -> Array:
        """All scores, [3 n + 3 n n, prompts, seeds]: a bootstrap is quicker over one array than over six."""
        every = (self.base, self.negative, self.positive, self.more, self.less, self.both)
        return np.concatenate([one.reshape(-1, len(self.prompts), len(self.seeds)) for one in every])
