"""Procedural music with known attributes: the ground truth that etude is trained on and that probes are validated on.

>>> from tada_etude.synth import Attributes, caption, render
>>> clip = render(Attributes(tempo="fast", mode="minor", instrument="guitar", drums=True, seed=3))
>>> clip.shape, clip.dtype
((65536,), dtype('float32'))
"""

from tada_etude.synth.attributes import (
    BRIGHTNESSES,
    INSTRUMENTS,
    KEYS,
    MODES,
    REGISTERS,
    TEMPOS,
    Attributes,
    draw,
)
from tada_etude.synth.captions import caption, named
from tada_etude.synth.render import RATE, SAMPLES, render

__all__ = [
    "BRIGHTNESSES",
    "INSTRUMENTS",
    "KEYS",
    "MODES",
    "RATE",
    "REGISTERS",
    "SAMPLES",
    "TEMPOS",
    "Attributes",
    "caption",
    "draw",
    "named",
    "render",
]
