"""A trade-off curve: how much of the concept was gained for how much of the clip was changed."""

from __future__ import annotations

from attrs import field, frozen
from numpy import asarray, float64
from numpy.typing import ArrayLike, NDArray

from tada_core.errors import SpecError

Floats = NDArray[float64]


def _floats(values: ArrayLike) -> Floats:
    return asarray(values, dtype=float64)


@frozen(eq=False)
class Curve:
    """One direction of one steered arm, ordered by the size of the strength.

    Attributes:
        strengths: |a|, rising from 0, shape [points].
        change: x, the distance to the unsteered clip in the preservation metric's unit, shape [points].
        gain: d, the alignment gained in the steered direction in the alignment metric's unit, shape [points].
    """

    strengths: Floats = field(converter=_floats)
    change: Floats = field(converter=_floats)
    gain: Floats = field(converter=_floats)

    def __attrs_post_init__(self) -> None:
        if not self.strengths.shape == self.change.shape == self.gain.shape:
            raise SpecError("a curve needs one strength, one change and one gain per point")


def curve(strengths: ArrayLike, alignment: ArrayLike, preservation: ArrayLike, sign: int) -> Curve:
    """The mean curve of one direction; strength 0 belongs to both.

    x(a) = mean LPAPS-like distance of strength a to strength 0; d(a) = sign (mean sim(a) - mean sim(0)).

    Args:
        strengths: signed, shape [points], 0 among them.
        alignment: sim per clip, shape [clips, points].
        preservation: distance to the unsteered clip, shape [clips, points].
        sign: +1 or -1.

    Raises:
        SpecError: no strength is 0.
    """
    a, sim, far = _floats(strengths), _floats(alignment), _floats(preservation)
    if not (a == 0).any():
        raise SpecError("a curve starts at strength 0, the unsteered clip; add it")
    order = [i for i in sorted(range(len(a)), key=lambda i: abs(a[i])) if sign * a[i] >= 0]
    mean = sim.mean(0)
    return Curve(abs(a[order]), far.mean(0)[order], sign * (mean[order] - mean[a == 0][0]))
