"""What was measured of each arm of one concept: means per strength, from the columns of a CSV file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum

from attrs import frozen

from tada_bench.protocol.curve import Curve, curve
from tada_bench.protocol.sheet import Sheet
from tada_core.errors import SpecError


@frozen
class Measured:
    """One arm.

    Attributes:
        arm: its name.
        strengths: signed, rising, 0 among them, shape [points].
        rows: how many rows of the file each strength has, shape [points].
        preservation: mean distance to the unsteered clip, shape [points].
        alignment: mean similarity by the name of its metric, each of shape [points].
    """

    arm: str
    strengths: tuple[float, ...]
    rows: tuple[int, ...]
    preservation: tuple[float, ...]
    alignment: Mapping[str, tuple[float, ...]]

    def curve(self, alignment: str, sign: int) -> Curve | None:
        """The trade-off curve of one direction; None where the arm was not steered in it."""
        if not any(sign * strength > 0 for strength in self.strengths):
            return None
        return curve(self.strengths, [self.alignment[alignment]], [self.preservation], sign)


def measured(sheet: Sheet, preservation: str, alignment: Sequence[str]) -> list[Measured]:
    """Every arm of the file, in its order; several rows of one arm and strength count as their mean.

    Raises:
        SpecError: a cell is empty or no number, an arm has no name or no strength 0, or there are two concepts.
    """
    names, strengths = _names(sheet), sheet.numbers("alpha")
    values = {name: sheet.numbers(name) for name in (preservation, *alignment)}
    places: dict[str, dict[float, list[int]]] = {name: {} for name in names}
    for row, (name, strength) in enumerate(zip(names, strengths, strict=True)):
        places[name].setdefault(strength, []).append(row)
    for name, own in places.items():
        if 0 not in own:
            have = ", ".join(f"{strength:g}" for strength in sorted(own))
            raise SpecError(
                f"arm '{name}' of {sheet.path} has no strength 0, only {have}; add the row of the unsteered clip"
            )
    return [_means(name, dict(sorted(own.items())), values, preservation) for name, own in places.items()]


def _names(sheet: Sheet) -> tuple[str, ...]:
    names, concepts = sheet.column("arm"), dict.fromkeys(sheet.columns.get("concept", ()))
    if "" in names:
        raise SpecError(f"{sheet.path}, line {sheet.lines[names.index('')]}: column 'arm' is empty; name the arm")
    if len(concepts) > 1:
        raise SpecError(f"{sheet.path} holds the concepts {', '.join(concepts)}; one file is one concept, split it")
    return names


def _means(
    arm: str, places: Mapping[float, list[int]], values: Mapping[str, Sequence[float]], preservation: str
) -> Measured:
    # fsum: the order of the rows in the file changes nothing, not even the last digit.
    means = {
        name: tuple(fsum(cells[i] for i in rows) / len(rows) for rows in places.values())
        for name, cells in values.items()
    }
    far = means.pop(preservation)
    return Measured(arm, tuple(places), tuple(map(len, places.values())), far, means)
