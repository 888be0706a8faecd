"""`lpaps` and `lpaps-channels`: distance of a clip to its reference in the stages of CLAP's HTSAT.

Settings of TADA (arXiv 2602.11910): windows of 10 s every 9 s. Differs from its public code, which runs the network
again on clip and reference at every strength: here a clip is heard once, and what `clap` heard serves here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from attrs import frozen

from tada_clap.distance import CHANNELS, TOKENS, lpaps
from tada_clap.listening import Array, Kind, Listening
from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.metric import check_lengths, references

if TYPE_CHECKING:
    from tada_clap.encoder import Heard


@frozen
class Lpaps(Listening):
    """LPAPS as TADA's public code has it: stages normalised over their tokens, channel by channel; from 0 to 16.

    Two seeds of one prompt are 5.71 apart in ACE-Step (arXiv 2602.11910, section 5).
    """

    name: ClassVar[str] = "lpaps"
    kind: ClassVar[Kind] = "preservation"
    unit: ClassVar[str] = "LPAPS"
    direction: ClassVar[int] = -1
    axis: ClassVar[int] = TOKENS

    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> Array:
        """Distance of each clip to its reference [clips], mean over windows; symmetric.

        Rates may differ. Lengths may differ by up to 50 ms.

        Raises:
            SpecError: `against` is not one clip for each clip, a clip is empty, or the lengths differ by more.
            CheckpointError: the weights are not to be had.
        """
        pairs = self._pairs(clips, against)
        return np.array([self._distance(*pair) for pair in self._seen(pairs)], np.float64)

    def _pairs(self, clips: Sequence[Audio], against: object) -> list[tuple[Audio, Audio]]:
        pairs = list(zip(clips, references(self.name, clips, against), strict=True))
        for pair in pairs:
            check_lengths(*pair)
        return pairs

    def _seen(self, pairs: Sequence[tuple[Audio, Audio]]) -> Iterator[list[Heard]]:
        for group in self.groups(pairs):
            seen = self.encoder.look([clip for pair in group for clip in pair])
            yield from ([first, other] for first, other in zip(seen[::2], seen[1::2], strict=True))

    def _distance(self, first: Heard, other: Heard) -> float:
        # A few milliseconds more can begin a window that the other clip does not have.
        windows = min(len(first[0]), len(other[0]))
        left, right = ([stage[:windows] for stage in one] for one in (first, other))
        return float(lpaps(left, right, self.axis).mean())


@frozen
class LpapsChannels(Lpaps):
    """LPAPS as LPIPS normalises: over the channels, token by token. Its numbers are not those of `lpaps`."""

    name: ClassVar[str] = "lpaps-channels"
    unit: ClassVar[str] = "LPAPS over channels"
    axis: ClassVar[int] = CHANNELS
