"""Which column of a CSV file is what."""

from __future__ import annotations

from collections.abc import Sequence

from tada_bench.protocol.sheet import Sheet, number
from tada_core.errors import SpecError

PRESERVATION = ("lpaps", "preservation")
# They say which clip a row is about, and are never an alignment unless it is asked for.
ABOUT = ("prompt", "seed")


def columns(sheet: Sheet, preservation: str | None = None, alignment: Sequence[str] = ()) -> tuple[str, list[str]]:
    """The preservation column and the alignment columns: those asked for, or those the file leaves no doubt about.

    By default preservation is the column named lpaps or preservation, in any case, and the alignments are all other
    columns that hold numbers, but for prompt and seed.

    Raises:
        SpecError: a column asked for is missing or has two roles, or the default is in doubt.
    """
    for name in ("arm", "alpha"):
        sheet.column(name)
    found = [name for name in sheet.columns if name.lower() in PRESERVATION]
    if preservation is None and len(found) != 1:
        raise SpecError(
            f"which column of {sheet.path} is the preservation? name one with --preservation; "
            f"its columns are {', '.join(sheet.columns)}"
        )
    far = found[0] if preservation is None else preservation
    sims = list(dict.fromkeys(alignment)) or _numeric(sheet, ("arm", "alpha", far, *ABOUT))
    roles = ["arm", "alpha", far, *sims]
    for name in roles:
        sheet.column(name)
        if roles.count(name) > 1:
            raise SpecError(f"column '{name}' cannot be two of arm, alpha, preservation and alignment")
    if not sims:
        raise SpecError(f"{sheet.path} has no alignment column; its columns are {', '.join(sheet.columns)}")
    return far, sims


def _numeric(sheet: Sheet, but: Sequence[str]) -> list[str]:
    """Columns where some cell is a number; one bad cell among numbers is then an error, and not a column of text."""
    return [
        name
        for name, cells in sheet.columns.items()
        if name not in but and any(number(cell) is not None for cell in cells)
    ]
