"""How far a method gets: the strength at which a clip has moved as far as its prompt swap moves it, on either side.

TADA's protocol spreads the strengths of every method evenly up to the one that reaches the ceiling of its side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tada_bench.arm import REACH
from tada_core.errors import DoseError, SpecError

if TYPE_CHECKING:
    from tada_core.artifact import Artifact
    from tada_core.dose import DoseScale
    from tada_core.interventions import Intervention


def reach(scale: DoseScale, sign: int) -> float:
    """The strength, above zero, of dose 1 on the side of `sign`; where it was never reached, that of the largest dose.

    Raises:
        SpecError: that side was not measured.
    """
    try:
        return sign * scale.strength(sign)
    except DoseError:
        side = [(sign * dose, sign * strength) for strength, dose in scale.points if sign * strength > 0]
    if not side:
        raise SpecError(f"the reach on the side {sign:+d} is not known; calibrate with strengths on both sides")
    return max(side)[1]


def steering(artifact: Artifact, strength: float, unit: str | None) -> tuple[Intervention, ...]:
    """The interventions of a strength in any unit of the method, or in shares of its reach.

    Raises:
        SpecError, DoseError: a unit that the method does not have, or a reach that was not measured.
    """
    if unit != REACH:
        return artifact.at(strength, unit)
    if artifact.dose is None:
        raise SpecError(f"the reach of this {artifact.method} artefact is not known; calibrate it first")
    return artifact.at(strength * reach(artifact.dose, 1 if strength > 0 else -1), artifact.dose.unit)
