"""Converters of attrs fields: any iterable becomes a tuple."""

from __future__ import annotations

from collections.abc import Iterable


def ints(values: Iterable[int]) -> tuple[int, ...]:
    """Whole numbers as a tuple."""
    return tuple(int(value) for value in values)


def texts(values: Iterable[str]) -> tuple[str, ...]:
    """Texts as a tuple; a single text is one of them."""
    return (values,) if isinstance(values, str) else tuple(values)
