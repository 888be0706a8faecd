"""The runs that an interference report compares, and where the scores of each one go."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from tada_core.concept import Concept
from tada_core.generation import fill
from tada_core.interventions import Intervention

Array = NDArray[np.float64]


@frozen
class Trial:
    """One run of every prompt and seed."""

    template: str
    interventions: tuple[Intervention, ...] = ()


def trials(
    concepts: Sequence[Concept], ups: Sequence[tuple[Intervention, ...]], downs: Sequence[tuple[Intervention, ...]]
) -> list[Trial]:
    """Plain, the concepts' negative and positive prompts, each artefact up, each down, each pair up: 1 + 4 n + pairs.

    Args:
        concepts: of each artefact.
        ups, downs: each artefact's interventions, turned up and turned down.
    """
    plain = around(concepts)
    return [
        Trial(plain),
        *(Trial(around(concepts, one, one.negative)) for one in concepts),
        *(Trial(around(concepts, one, one.positive)) for one in concepts),
        *(Trial(plain, pushed) for pushed in (*ups, *downs)),
        *(Trial(plain, (*one, *other)) for one, other in combinations(ups, 2)),
    ]


def around(concepts: Sequence[Concept], swapped: Concept | None = None, side: str = "") -> str:
    """The concepts' neutral templates, each once, one inside the other; that of `swapped` gives way to `side`."""
    text = "{p}"
    for template in dict.fromkeys(concept.neutral for concept in concepts):
        text = fill(side if swapped is not None and template == swapped.neutral else template, text)
    return text


def arranged(grid: Array) -> dict[str, Array]:
    """Scores [n, trials, prompts, seeds] under the names that `Interference` gives them."""
    n = len(grid)
    own = np.arange(n)
    both = np.full((n, n, *grid.shape[2:]), np.nan)
    for place, (i, j) in enumerate(combinations(range(n), 2), 1 + 4 * n):
        both[i, j], both[j, i] = grid[i, place], grid[j, place]
    return {
        "base": grid[:, 0],
        "negative": grid[own, 1 + own],
        "positive": grid[own, 1 + n + own],
        "more": grid[:, 1 + 2 * n : 1 + 3 * n],
        "less": grid[:, 1 + 3 * n : 1 + 4 * n],
        "both": both,
    }
