"""How well a cheap localisation agrees with an exact one."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from tada_core.errors import SpecError
from tada_core.localization.impact import Impact
from tada_core.localization.part import Part
from tada_core.maths.rank import spearman
from tada_core.results import to_json

Array = NDArray[np.float64]


@frozen
class Agreement:
    """What a cheap map gets right.

    Attributes:
        top: how many of the best parts are compared.
        cheap, exact: the names of the best parts of each.
        rank: Spearman correlation of all impacts; NaN where one map is constant.
        cheap_generations, exact_generations: clips behind each map.
    """

    top: int
    cheap: tuple[str, ...]
    exact: tuple[str, ...]
    rank: float
    cheap_generations: int
    exact_generations: int

    @property
    def overlap(self) -> float:
        """Share of the exact map's best parts that are among the cheap map's."""
        return 1 - len(self.misses) / self.top

    @property
    def misses(self) -> tuple[str, ...]:
        """The exact map's best parts that the cheap map leaves out."""
        return tuple(name for name in self.exact if name not in self.cheap)

    @property
    def cost(self) -> float:
        """Clips of the cheap map as a share of the exact one's."""
        return self.cheap_generations / self.exact_generations

    def table(self) -> list[dict[str, Any]]:
        """One row: top, overlap, rank, misses, and the clips of both with their ratio."""
        clips = {"cheap": self.cheap_generations, "exact": self.exact_generations, "cost": self.cost}
        misses = " ".join(self.misses)
        return [{"top": self.top, "overlap": self.overlap, "rank": self.rank, "misses": misses, **clips}]

    def to_json(self) -> str:
        """Everything as JSON; a rank that is undefined is null."""
        return to_json(self, overlap=self.overlap, misses=self.misses, cost=self.cost)


def agreement(cheap: Impact, exact: Impact, top: int = 2) -> Agreement:
    """Compare two maps, whatever each was made with.

    Args:
        cheap: of every part.
        exact: of the same model and concept, in any order of parts; of some of the parts, `spots` say, where all are
            too many. Then a miss is a part beside the cheap map's best that proves better than one of them.
        top: how many of the best parts should be the same.

    Raises:
        SpecError: other parts, model or concept; more parts asked for than there are; a map without effect; the exact
            map has not all of the cheap map's best.
    """
    if (cheap.model, cheap.concept) != (exact.model, exact.concept):
        raise SpecError(f"{cheap.concept} on {cheap.model} cannot agree with {exact.concept} on {exact.model}")
    if not set(cheap.best(top)) <= set(exact.parts) <= set(cheap.parts):
        raise SpecError(
            f"the maps have other parts: {', '.join(cheap.names)} against {', '.join(exact.names)}; the exact one "
            f"needs the {top} best of the other, and none beside its parts"
        )
    found, wanted = (tuple(part.name for part in one.best(top)) for one in (cheap, exact))
    order = [cheap.parts.index(part) for part in exact.parts]
    rank = spearman(cheap.values[order], exact.values)
    return Agreement(top, found, wanted, rank, cheap.generations, exact.generations)


def spots(cheap: Impact, top: int = 2, others: int = 3, seed: int = 0) -> tuple[Part, ...]:
    """What to measure exactly to trust a cheap map without measuring all: its best parts, and random ones beside them.

    Args:
        cheap: the map.
        top: how many of its best.
        others: how many of the rest; all, where there are fewer.
        seed: of the draw.
    """
    best = cheap.best(top)
    rest = [part for part in cheap.parts if part not in best]
    drawn = np.random.default_rng(seed).permutation(len(rest))[:others]
    chosen = {*best, *(rest[place] for place in drawn)}
    return tuple(part for part in cheap.parts if part in chosen)
