"""What steering directions do to each other's concepts, from mean scores of clips that share their noise.

Of two axes n the first is the concept that is read and the second the artefact that is turned; concept i is the one
that artefact i steers. All is linear in the scores, so that means over prompts and seeds are enough.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

Array = NDArray[np.float64]

KINDS = ("more", "less", "beside", "gap")
"""Order of the first axis of `changes`."""


def changes(
    base: Float[Array, " n"], more: Float[Array, "n n"], less: Float[Array, "n n"], both: Float[Array, "n n"]
) -> Float[Array, "4 n n"]:
    """Changes of every concept's score.

    With c_i(..) the change of concept i's score from the plain clips:

    * more, less: c_i(+j) and c_i(-j), artefact j alone; the diagonal is what an artefact does to its own concept.
    * beside: c_i(+i, +j) - c_i(+i), what turning j as well takes from concept i or adds to it.
    * gap: c_i(+i, +j) - c_i(+i) - c_i(+j), zero where effects add.

    Args:
        base: scores of the plain clips.
        more, less: scores with one artefact turned up, turned down.
        both: scores of concept i with artefacts i and j turned up; NaN where they are the same one.
    """
    up, down, together = (scores - base[:, None] for scores in (more, less, both))
    beside = together - np.diag(up)[:, None]
    return np.stack([up, down, beside, beside - up])


def shares(changed: Float[Array, "k n n"], moved: Float[Array, " n"]) -> Float[Array, "k n n"]:
    """Changes of each concept in units of `moved`, its own prompt swap; NaN where the swap changes nothing."""
    own: Array = np.where(moved == 0, np.nan, moved)
    return changed / own[:, None]
