"""Lists of whole numbers, as they are written on the command line."""

from __future__ import annotations

from tada_core.errors import SpecError


def numbers(text: str, what: str) -> tuple[int, ...]:
    """Whole numbers separated by commas, such as "0,1,2".

    Args:
        text: what the user wrote.
        what: the option's name, for the error.

    Raises:
        SpecError: something else was written.
    """
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise SpecError(f"{what} takes whole numbers separated by commas, such as 0,1; not '{text}'") from error


def layers(text: str) -> tuple[int, ...] | None:
    """Layer indices, or None for "all"; raises as `numbers`."""
    return None if text == "all" else numbers(text, "--layers")
