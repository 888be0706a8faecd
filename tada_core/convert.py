"""Converters of attrs fields: any iterable becomes a tuple, or an array."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def ints(values: Iterable[int]) -> tuple[int, ...]:
    """Whole numbers as a tuple."""
    return tuple(int(value) for value in values)


def texts(values: Iterable[str]) -> tuple[str, ...]:
    """Texts as a tuple; a single text is one of them."""
    return (values,) if isinstance(values, str) else tuple(values)


def array(values: Any) -> NDArray[np.float64]:
    """Numbers in double precision; None becomes NaN."""
    import numpy as np

    return np.asarray(values, dtype=np.float64)
