"""The Frechet distance between two sets of embeddings (Kilgour et al. 2019, arXiv 1812.08466, eq. 1).

The distance is of the normal distributions with the sets' means and covariances. Its estimate is biased: it falls
towards the true distance as a set grows (Gui et al. 2024, arXiv 2311.01616), so only distances of one n compare.

Differs from the paper: the published d^2 is reported, as everywhere, though it is the square of a distance; the matrix
root is taken from singular values, which are exact and real where a root of S_a S_b is neither.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tada_core.errors import SpecError

Array = npt.NDArray[np.float64]


def frechet(a: Array, b: Array) -> float:
    """d^2 = |m_a - m_b|^2 + tr S_a + tr S_b - 2 tr (S_a S_b)^(1/2), in the square of the embeddings' unit.

    With X_a the centred set over sqrt(n - 1), S_a = X_a' X_a, and the last trace is the sum of the singular values of
    X_a X_b'.

    Args:
        a, b: embeddings [n, d] of both sets, of one size n, as the bias depends on it.

    Raises:
        SpecError: sets of different size or width, fewer than two embeddings, or some that are not finite.
    """
    check(a, b)
    mean = np.asarray(a.mean(0) - b.mean(0), np.float64)
    first, second = _spread(a), _spread(b)
    shared = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    squared = mean @ mean + np.square(first).sum() + np.square(second).sum() - 2 * shared
    return max(0.0, float(squared))


def check(a: Array, b: Array) -> None:
    """Refuse two sets that have no comparable distance; see `frechet`."""
    for name, one in (("first", a), ("second", b)):
        if one.ndim != 2 or len(one) < 2:
            raise SpecError(f"the {name} set of embeddings is {list(one.shape)}; it takes [n, d] with n of at least 2")
        if not np.isfinite(one).all():
            raise SpecError(f"the {name} set has embeddings that are not finite")
    if len(a) != len(b):
        raise SpecError(f"the sets hold {len(a)} and {len(b)} clips; the distance is biased in n, so give equally many")
    if a.shape[1] != b.shape[1]:
        raise SpecError(f"embeddings of {a.shape[1]} and {b.shape[1]} numbers; embed both sets with the same network")


def _spread(embeddings: Array) -> Array:
    """A factor R [min(n, d), d] of the covariance, R' R = S."""
    centred = np.asarray(embeddings, np.float64) - embeddings.mean(0)
    return np.asarray(np.linalg.qr(centred / np.sqrt(len(centred) - 1), mode="r"))
