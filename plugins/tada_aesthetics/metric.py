"""Quality by Audiobox Aesthetics: four axes of 1 to 10 that listeners were asked for, and their mean.

All metrics here share one forward pass per clip. Differs from the published code: a clip's windows are one batch of
their own, so its scores do not depend on the clips beside it, and resampling keeps its phases in double precision.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from attrs import field, frozen

from tada_aesthetics.judge import AXES, HUB, Judge, load
from tada_core.metric import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tada_core.audio import Audio
    from tada_core.concept import Concept


@frozen
class Aesthetics(Metric):
    """The mean of the four axes, which the protocol calls quality.

    Attributes:
        weights: hub id, folder or file; the default is the environment's TADA_AESTHETICS, or the published network.
        checksum: SHA-256 that the file of weights must have, or "".
        device: where the network runs, such as "cuda".
    """

    name: ClassVar[str] = "aesthetics"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "quality"
    unit: ClassVar[str] = "points of 10"
    licence: ClassVar[str] = "CC-BY-4.0"
    axes: ClassVar[tuple[str, ...]] = AXES

    weights: str = field(factory=lambda: os.environ.get("TADA_AESTHETICS", HUB))
    checksum: str = ""
    device: str = "cpu"

    @property
    def judge(self) -> Judge:
        """The network, loaded at first use and shared by all metrics with the same weights."""
        return load(self.weights, self.checksum, self.device)

    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> NDArray[np.float64]:
        """Mean of this metric's axes for each clip [clips]; `against` plays no part.

        Raises:
            SpecError: a clip is empty, or gets a score that is not finite.
            CheckpointError, MissingExtraError: as `tada_aesthetics.judge.load`.
        """
        chosen = [AXES.index(axis) for axis in self.axes]
        return np.array([self.judge.scores(clip)[chosen].mean() for clip in clips], np.float64)


@frozen
class Enjoyment(Aesthetics):
    """Content enjoyment (CE): emotional impact, artistic skill and expression, subjective pleasure."""

    name: ClassVar[str] = "aesthetics-ce"
    axes: ClassVar[tuple[str, ...]] = ("CE",)


@frozen
class Usefulness(Aesthetics):
    """Content usefulness (CU): how likely the clip is to serve as source material."""

    name: ClassVar[str] = "aesthetics-cu"
    axes: ClassVar[tuple[str, ...]] = ("CU",)


@frozen
class Complexity(Aesthetics):
    """Production complexity (PC): how many components the scene has; more is not better."""

    name: ClassVar[str] = "aesthetics-pc"
    axes: ClassVar[tuple[str, ...]] = ("PC",)


@frozen
class Production(Aesthetics):
    """Production quality (PQ): clarity, fidelity, dynamics, frequencies and spatialisation."""

    name: ClassVar[str] = "aesthetics-pq"
    axes: ClassVar[tuple[str, ...]] = ("PQ",)
