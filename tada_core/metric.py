"""The contract of a metric: clips in, one number per clip out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

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
