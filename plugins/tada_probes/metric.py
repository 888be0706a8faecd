"""The probes as a metric: how much of a concept is in the audio, with no model between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from tada_core.concept import Concept
from tada_core.errors import SpecError, nearest
from tada_core.metric import Metric
from tada_probes.probe import PROBES, Probe
from tada_probes.signal import Array

if TYPE_CHECKING:
    from tada_core.audio import Audio

SHORTEST: float = 1.0
"""Seconds a clip must last: below that there is no tempo to measure."""


class Probes(Metric):
    """Measures a concept's probe in every clip; the unit is the probe's own.

    >>> Probes().unit_for(Concept("pace", "{p}, fast", "{p}, slow", ("a tune",), ("a song",), probe="tempo"))
    'beats per minute'
    """

    name: ClassVar[str] = "probes"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "alignment"
    unit: ClassVar[str] = "the probe's unit"

    def score(self, clips: Sequence[Audio], against: Concept | Sequence[Audio] | None = None) -> Array:
        """The probe of concept `against` in each clip [clips], channels averaged; more is more of the concept.

        Raises:
            SpecError: `against` is no concept, has no probe or an unknown one, or a clip is shorter than a second.
        """
        measure = probe(against).measure
        for index, clip in enumerate(clips):
            if clip.seconds < SHORTEST:
                raise SpecError(f"clip {index} lasts {clip.seconds:.2f} s; probes need at least {SHORTEST:g} s")
        return np.array([measure(clip.mono().numpy().astype(np.float64), clip.rate) for clip in clips])

    def unit_for(self, concept: Concept) -> str:
        """The unit of this concept's probe."""
        return probe(concept).unit


def probe(concept: Concept | Sequence[Audio] | None) -> Probe:
    """The probe that a concept names; SpecError where it names none, or none that exists."""
    if not isinstance(concept, Concept):
        raise SpecError("metric 'probes' measures a concept: pass the concept as the second argument")
    if not concept.probe:
        raise SpecError(
            f"concept '{concept.name}' has no probe; give it one of {', '.join(PROBES)} or use a metric that reads text"
        )
    if concept.probe not in PROBES:
        near = ", ".join(nearest(concept.probe, PROBES))
        raise SpecError(f"concept '{concept.name}' names an unknown probe '{concept.probe}'; nearest: {near}")
    return PROBES[concept.probe]
