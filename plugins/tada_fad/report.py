"""A distance between two sets of clips, together with what it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from attrs import frozen

from tada_fad.frechet import Array, frechet

if TYPE_CHECKING:
    from tada_core.audio import Audio


class Embedder(Protocol):
    """Anything that turns clips into vectors; the metric `muq` is one."""

    def embed(self, clips: Sequence[Audio]) -> Array:
        """One vector per clip, [n, d]."""


@frozen
class FrechetReport:
    """One number for two sets, and what it may be compared with: the same embedder, the same n.

    Attributes:
        distance: d^2 of `tada_fad.frechet.frechet`, in the square of the embedder's unit; 0 for equal distributions.
        floor: d^2 between two halves of the reference, drawn by `seed`: what n / 2 clips that differ in nothing are
            apart. The bias falls with n, so it is more than n clips would give. NaN for fewer than 4 clips.
        n: clips in each set.
        width: numbers in an embedding; below n > width covariances are not of full rank.
        embedder: its name.
    """

    distance: float
    floor: float
    n: int
    width: int
    embedder: str


def compare(clips: Sequence[Audio], reference: Sequence[Audio], embedder: Embedder, seed: int = 0) -> FrechetReport:
    """How far `clips` lie from `reference`, as sets.

    Args:
        clips, reference: equally many, at least 2.
        embedder: makes vectors of clips.
        seed: of the order in which the reference is halved.

    Raises:
        SpecError: as `tada_fad.frechet.frechet`.
    """
    a, b = (np.asarray(embedder.embed(one), np.float64) for one in (clips, reference))
    distance = frechet(a, b)
    name = str(getattr(embedder, "name", type(embedder).__name__))
    return FrechetReport(distance, halves(b, seed), len(a), a.shape[1], name)


def halves(embeddings: Array, seed: int = 0) -> float:
    """d^2 between two halves of a set [n, d], in an order drawn from `seed`; NaN where a half has no covariance."""
    half = len(embeddings) // 2
    if half < 2:
        return float("nan")
    order = np.random.default_rng(seed).permutation(len(embeddings))
    return frechet(embeddings[order[:half]], embeddings[order[half : 2 * half]])
