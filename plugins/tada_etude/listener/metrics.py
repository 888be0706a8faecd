"""The listener's metrics: likeness to a text, distance to a reference, and how good a clip sounds; one pass for all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt
from attrs import field, frozen

from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.errors import SpecError
from tada_core.metric import Metric, check_lengths, references

if TYPE_CHECKING:
    from tada_etude.listener.encoder import Encoder

Array = npt.NDArray[np.float64]
Kind = Literal["alignment", "preservation", "quality"]
SHIPPED: Final = Path(__file__).parent / "weights"


@frozen
class Listening(Metric):
    """A metric that listens. Those with equal options share one network and what it heard.

    Attributes:
        weights: folder that `tada train-listener --export` wrote; by default the one that ships with the package.
    """

    licence: ClassVar[str] = "Apache-2.0"

    weights: Path = field(default=SHIPPED, converter=Path)

    @property
    def encoder(self) -> Encoder:
        """The network, loaded at the first use. Raises CheckpointError where the weights are not to be had."""
        from tada_etude.listener.encoder import encoder

        return encoder(self.weights)


@frozen
class Similarity(Listening):
    """Cosine of audio and the text of a concept's query, -1 to 1, mean over windows. Silence is like no text: 0."""

    name: ClassVar[str] = "listener"
    kind: ClassVar[Kind] = "alignment"
    unit: ClassVar[str] = "cosine"

    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> Array:
        """Similarity of each clip to the query of concept `against` [clips]; clips of any rate, channels averaged.

        Raises:
            SpecError: `against` is no concept, its query says nothing that the listener knows, or a clip is shorter
                than half a second.
            CheckpointError: the weights are not to be had.
        """
        if not isinstance(against, Concept):
            raise SpecError(f"metric '{self.name}' measures a concept: pass the concept as the second argument")
        query = self.encoder.read(against.query(self.name))
        return np.array([float((one.embedding @ query).mean()) for one in self.encoder.listen(clips)], np.float64)


@frozen
class Distance(Listening):
    """LPAPS in the four stages of the listener's audio tower, 0 to 16. Its numbers are not those of `lpaps`."""

    name: ClassVar[str] = "listener-lpaps"
    kind: ClassVar[Kind] = "preservation"
    unit: ClassVar[str] = "LPAPS of the listener"
    direction: ClassVar[int] = -1

    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> Array:
        """Distance of each clip to its reference [clips], mean over windows; symmetric.

        Rates may differ. Lengths may differ by up to 50 ms.

        Raises:
            SpecError: `against` is not one clip for each clip, the lengths differ by more, or a clip is shorter than
                half a second.
            CheckpointError: the weights are not to be had.
        """
        from tada_etude.listener.distance import lpaps

        pairs = list(zip(clips, references(self.name, clips, against), strict=True))
        for pair in pairs:
            check_lengths(*pair)
        scores = []
        for pair in pairs:
            first, other = (heard.stages for heard in self.encoder.listen(pair))
            # A few milliseconds more can begin a window that the other clip does not have.
            windows = min(len(first[0]), len(other[0]))
            left, right = ([stage[:windows] for stage in stages] for stages in (first, other))
            scores.append(float(lpaps(left, right).mean()))
        return np.array(scores, np.float64)


@frozen
class Quality(Listening):
    """1 - the severity of the damage that is heard, 0 to 1, mean over windows. Silence has none of it: 0."""

    name: ClassVar[str] = "listener-quality"
    kind: ClassVar[Kind] = "quality"
    unit: ClassVar[str] = "quality"

    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> Array:
        """Quality of each clip [clips]; `against` is not looked at.

        Raises:
            SpecError: a clip is shorter than half a second.
            CheckpointError: the weights are not to be had.
        """
        return np.array([1.0 - float(one.severity.mean()) for one in self.encoder.listen(clips)], np.float64)
