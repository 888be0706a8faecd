"""A generated clip: its audio, the latents it was decoded from, and the row that asked for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from tada_core.audio import Audio
from tada_core.generation import Row

if TYPE_CHECKING:
    from torch import Tensor


@frozen(eq=False)
class Clip:
    """One row's result.

    Attributes:
        row: what was asked for.
        audio: the clip.
        latents: final latents before any decoder, on the CPU; exactness is compared here.
    """

    row: Row
    audio: Audio
    latents: Tensor

    def save(self, path: str | Path) -> Path:
        """Write the audio; the ending names the format."""
        return self.audio.save(path)
