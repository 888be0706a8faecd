"""What the five metrics share: a feature of every clip, and the distance between two features."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from tada_core.audio import Audio
from tada_core.errors import SpecError
from tada_core.metric import Metric, references

if TYPE_CHECKING:
    from tada_core.concept import Concept

Feature = TypeVar("Feature")


class Distance(Metric, Generic[Feature]):
    """A distance to one reference per clip; 0 for the same clip."""

    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "preservation"
    direction: ClassVar[int] = -1

    @abstractmethod
    def feature(self, clip: Audio) -> Feature:
        """What this metric hears in a clip; computed once for each clip object, however many clips refer to it."""

    @abstractmethod
    def distance(self, reference: Feature, clip: Feature) -> float:
        """How far `clip` is from `reference`; 0 where they are equal."""

    def score(
        self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None
    ) -> npt.NDArray[np.float64]:
        """Distance of each clip to its reference [clips].

        Rates, lengths and channels may differ; each metric says what it makes of that.

        Raises:
            SpecError: `against` is not one clip for each clip, or a clip is empty.
        """
        pairs = zip(self._references(clips, against), clips, strict=True)
        return np.array([self.distance(self.feature(a), self.feature(b)) for a, b in pairs], np.float64)

    def _references(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None) -> Sequence[Audio]:
        found = references(self.name, clips, against)
        for role, each in (("clip", clips), ("reference", found)):
            for index, one in enumerate(each):
                if one.samples.numel() == 0:
                    raise SpecError(f"{role} {index} is empty; metric '{self.name}' needs samples to measure")
        return found
