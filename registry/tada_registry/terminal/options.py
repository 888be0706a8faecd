"""A plugin's own options, as they are written on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tada_core.errors import SpecError


def options(pairs: Iterable[str], flag: str = "--set") -> dict[str, Any]:
    """Options by name from texts such as "pairs=8"; a value that is no JSON stands for itself.

    Raises:
        SpecError: a text without "=".
    """
    read: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not (name and equals):
            raise SpecError(f"{flag} takes NAME=VALUE, such as pairs=8 or device=cuda; not '{pair}'")
        try:
            read[name] = json.loads(text)
        except ValueError:
            read[name] = text
    return read
