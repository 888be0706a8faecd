"""Guests: rows of other prompts that run in a batch for their activations alone (PatchOutput).

Their clips are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence

from tada_core.generation import Row
from tada_core.interventions import PatchOutput


def guest_of(row: Row, item: PatchOutput) -> Row:
    """The donor's own run: the host's base prompt in the donor's template, the host's seed and settings."""
    return Row(row.prompt, row.seed, item.donor, row.settings)


def place_of(guest: Row, rows: Sequence[Row]) -> int | None:
    """Which row of a batch makes that run anyway, if one does; settings are equal in a batch."""
    for place, row in enumerate(rows):
        if (row.text, row.seed, row.interventions) == (guest.text, guest.seed, ()):
            return place
    return None


def with_guests(rows: Sequence[Row]) -> list[Row]:
    """The rows of a batch, and behind them every run that a PatchOutput needs and none of them is, once each."""
    every = list(rows)
    for row in rows:
        for item in row.interventions:
            if isinstance(item, PatchOutput) and place_of(guest := guest_of(row, item), every) is None:
                every.append(guest)
    return every
