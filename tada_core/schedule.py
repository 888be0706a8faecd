"""When an intervention acts, as fractions of the trajectory, so that it survives another number of steps."""

from __future__ import annotations

from attrs import field, frozen, validators

from tada_core.errors import SpecError

_fraction = validators.and_(validators.ge(0.0), validators.le(1.0))

_ROUNDING = 1e-9
"""Fractions such as 1 - 1/30 are not exact; a step that starts a window belongs to it."""


@frozen
class Schedule:
    """A window of the denoising trajectory with a linear gain across it.

    Step i of n stands at the fraction i / n; the intervention acts where start <= i / n < end.

    Attributes:
        start, end: the window, fractions in [0, 1] of the trajectory (0 is pure noise).
        first, last: gain at the start and at the end of the window, multiplied into the strength.
    """

    start: float = field(default=0.0, converter=float, validator=_fraction)
    end: float = field(default=1.0, converter=float, validator=_fraction)
    first: float = field(default=1.0, converter=float)
    last: float = field(default=1.0, converter=float)

    def __attrs_post_init__(self) -> None:
        if self.start >= self.end:
            raise SpecError(f"schedule starts at {self.start:g} but ends at {self.end:g}; give 0 <= start < end <= 1")

    def gain(self, step: int, steps: int) -> float:
        """Gain at step `step` of `steps`; 0.0 outside the window."""
        fraction = step / steps
        if not self.start - _ROUNDING <= fraction < self.end - _ROUNDING:
            return 0.0
        if self.first == self.last:
            return self.first
        return self.first + (self.last - self.first) * max(fraction - self.start, 0.0) / (self.end - self.start)

    def gains(self, steps: int) -> tuple[float, ...]:
        """Gain at every step of a run of `steps` steps."""
        return tuple(self.gain(step, steps) for step in range(steps))


ALWAYS = Schedule()
