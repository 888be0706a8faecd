"""Alignment by MuQ-MuLan: how well a clip fits the text that stands for a concept.

Protocol's setting: whole clip at 24 kHz, text inside "This is a music of {text}", one text at a time. Differs from the
published code: a clip's windows are embedded in one batch, and resampling keeps its phases in double precision.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from attrs import field, frozen

from tada_core.concept import Concept
from tada_core.errors import SpecError
from tada_core.metric import Metric
from tada_muq.mulan import HUB, MuLan, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tada_core.audio import Audio


def _holds_text(_: object, __: object, value: str) -> None:
    if "{text}" not in value:
        raise SpecError(f"template '{value}' has no {{text}}, the place of the concept's query")


@frozen
class MuQ(Metric):
    """Cosine of a clip's embedding with the query's, mean over windows of 10 s.

    Attributes:
        weights: folder, file or hub id; the default is the environment's TADA_MUQ, or the published large model.
        template: the text around the query (published); "{text}" takes it verbatim.
        checksum: SHA-256 that the file of weights must have, or "".
        device: where the network runs, such as "cuda".
    """

    name: ClassVar[str] = "muq"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "alignment"
    unit: ClassVar[str] = "cosine"
    licence: ClassVar[str] = "CC-BY-NC-4.0"

    weights: str = field(factory=lambda: os.environ.get("TADA_MUQ", HUB))
    template: str = field(default="This is a music of {text}", validator=_holds_text)
    checksum: str = ""
    device: str = "cpu"

    @property
    def towers(self) -> MuLan:
        """The network, loaded at first use and shared by all metrics with the same weights."""
        return load(self.weights, self.checksum, self.device)

    def text(self, concept: Concept) -> str:
        """The text that is embedded for a concept."""
        return self.template.replace("{text}", concept.query(self.name))

    def embed(self, clips: Sequence[Audio]) -> NDArray[np.float64]:
        """Embeddings of clips, [clips, d]: means of unit vectors over windows."""
        vectors = [self.towers.audio(clip).double().numpy() for clip in clips]
        return np.stack(vectors) if vectors else np.zeros((0, 0))

    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> NDArray[np.float64]:
        """Cosine of each clip with the query of concept `against`, [clips], between -1 and 1.

        Raises:
            SpecError: `against` is no concept, or a clip is empty.
            CheckpointError, MissingExtraError: as `tada_muq.mulan.load`.
        """
        if not isinstance(against, Concept):
            raise SpecError("metric 'muq' measures a concept: pass the concept as the second argument")
        if not clips:
            return np.zeros(0)
        return np.asarray(self.embed(clips) @ self.towers.text(self.text(against)).double().numpy())
