"""JSON for results: attrs values that hold scores, tagged with "type"; what is undefined is null."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import numpy as np
from attrs import asdict

from tada_core.errors import SpecError

Result = TypeVar("Result")


def to_json(result: Any, **derived: Any) -> str:
    """All fields as JSON, and `derived` values beside them."""
    data = asdict(result, value_serializer=lambda _, __, value: _plain(value))
    return json.dumps({"type": type(result).__name__, **data, **derived}, indent=2, allow_nan=False)


def from_json(kind: type[Result], text: str, what: str) -> Result:
    """What `to_json` wrote, without derived values.

    Args:
        kind: class of the result, whose converters take plain lists and objects.
        text: JSON.
        what: "a sweep", for the error.

    Raises:
        SpecError: it is no such result.
    """
    try:
        data = json.loads(text)
        if data.pop("type") != kind.__name__:
            raise ValueError(f"type is not {kind.__name__}")
        return kind(**data)
    except (ValueError, KeyError, TypeError, AttributeError, SpecError) as error:
        raise SpecError(f"not {what}: {error}") from error


def _plain(value: Any) -> Any:
    """Arrays as nested lists; None for NaN, which JSON has not."""
    if isinstance(value, np.ndarray):
        plain = value.astype(object)
        plain[np.isnan(value)] = None
        return plain.tolist()
    return None if isinstance(value, float) and np.isnan(value) else value
