"""The table of probes: name -> measure and unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

import attrs

from tada_probes.brightness import brightness
from tada_probes.drums import drums
from tada_probes.instrument import INSTRUMENTS, likeness
from tada_probes.mode import mode
from tada_probes.register import register
from tada_probes.signal import Array
from tada_probes.tempo import tempo


@attrs.frozen
class Probe:
    """A measure in the audio.

    Attributes:
        measure: samples [n] and their rate in Hz -> a number that grows with the attribute.
        unit: what one step of the number means.
    """

    measure: Callable[[Array, int], float]
    unit: str


PROBES: Final[Mapping[str, Probe]] = MappingProxyType(
    {
        "tempo": Probe(tempo, "beats per minute"),
        "brightness": Probe(brightness, "dB"),
        "register": Probe(register, "semitones"),
        "drums": Probe(drums, "dB"),
        "mode": Probe(mode, "correlation"),
        **{name: Probe(partial(likeness, instrument=name), "nats") for name in INSTRUMENTS},
    }
)
"""Every probe; a concept names one of them in its `probe`."""
