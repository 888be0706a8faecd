"""`clap`: likeness of a clip to a text in the music CLAP of LAION (Wu et al., arXiv 2211.06687).

Settings of TADA (arXiv 2602.11910): 48 kHz, windows of 10 s every 9 s, the text verbatim. Differs from its public code:
a clip is resampled before it is cut, not window by window, and windows run in batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from attrs import frozen

from tada_clap.listening import Array, Kind, Listening
from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.errors import SpecError


@frozen
class Clap(Listening):
    """Cosine of audio and text, -1 to 1, mean over windows; the text is the concept's query, as it stands."""

    name: ClassVar[str] = "clap"
    kind: ClassVar[Kind] = "alignment"
    unit: ClassVar[str] = "cosine"

    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> Array:
        """Similarity of each clip to the query of concept `against` [clips]; clips of any rate, channels averaged.

        Raises:
            SpecError: `against` is no concept, or a clip is empty.
            CheckpointError: weights or tokenizer are not to be had.
        """
        if not isinstance(against, Concept):
            raise SpecError(f"metric '{self.name}' measures a concept: pass the concept as the second argument")
        # Read before anything is heard: without its tokenizer a metric should fail at once.
        query = self.encoder.read(against.query(self.name))
        heard = (one for group in self.groups(clips) for one in self.encoder.listen(group))
        return np.array([float((one @ query).mean()) for one in heard], np.float64)
