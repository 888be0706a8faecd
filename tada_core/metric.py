"""The contract of a metric: clips in, one number per clip out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from tada_core.errors import SpecError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tada_core.audio import Audio
    from tada_core.concept import Concept


class Metric(ABC):
    """A measure of clips.

    Class attributes:
        name: registry name.
        kind: "alignment" (against a concept), "preservation" (distance to reference clips) or "quality".
        unit: what one step of the number means, for tables and axes.
        direction: +1 where more is better or more of the concept, -1 where less is.
        licence: of the weights it uses, or "".
    """

    name: ClassVar[str]
    kind: ClassVar[Literal["alignment", "preservation", "quality"]]
    unit: ClassVar[str]
    direction: ClassVar[int] = 1
    licence: ClassVar[str] = ""

    @abstractmethod
    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> NDArray[np.float64]:
        """One float64 per clip, shape [clips].

        Args:
            clips: clips of any rate; the metric resamples.
            against: the concept (alignment), one reference clip per clip (preservation), or None (quality).

        Raises:
            SpecError: `against` is not what this kind of metric needs, or does not fit the clips.
        """

    def unit_for(self, concept: Concept) -> str:
        """The unit of the numbers for this concept; the same for all unless a metric says otherwise."""
        return self.unit


SLACK: Final = 0.05
"""Seconds by which a clip and its reference may differ in length where they are compared in time."""


def references(name: str, clips: Sequence[Audio], against: object) -> Sequence[Audio]:
    """What a preservation metric measures against: one reference for each clip.

    Raises:
        SpecError: `against` is something else; names the metric.
    """
    from tada_core.audio import Audio

    if not isinstance(against, Sequence) or not all(isinstance(one, Audio) for one in against):
        raise SpecError(f"metric '{name}' measures against reference clips: pass one Audio for each clip")
    if len(against) != len(clips):
        raise SpecError(f"metric '{name}' got {len(clips)} clips and {len(against)} references; give one each")
    return against


def check_lengths(clip: Audio, reference: Audio) -> None:
    """Refuse a clip whose reference is longer or shorter by more than SLACK.

    Raises:
        SpecError: names both lengths.
    """
    if abs(clip.seconds - reference.seconds) > SLACK:
        raise SpecError(
            f"a clip of {clip.seconds:.2f} s has a reference of {reference.seconds:.2f} s; give equal lengths"
        )
