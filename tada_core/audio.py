"""Audio: what a model gives and a metric reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from tada_core.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor

GAIN: Final = "tada gain "
"""What a file's comment begins with where the clip was turned up or down; the factor follows."""


def _samples(_: object, __: object, value: Tensor) -> None:
    import torch

    if value.ndim != 2 or value.dtype != torch.float32:
        raise SpecError(f"audio must be float32 [channels, samples], not {value.dtype} {list(value.shape)}")
    if not torch.isfinite(value).all():
        raise SpecError("audio holds numbers that are not finite")


@frozen(eq=False)
class Audio:
    """A clip.

    Attributes:
        samples: float32 [channels, samples], on the CPU.
        rate: samples per second, in Hz.
        gain: factor already applied to `samples` when it was stored, so that loudness can be restored.
    """

    samples: Tensor = field(validator=_samples)
    rate: int
    gain: float = 1.0

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return float(self.samples.shape[-1] / self.rate)

    def mono(self) -> Tensor:
        """Mean over channels, [samples]."""
        return self.samples.mean(0)

    def save(self, path: str | Path) -> Path:
        """Write the clip; the ending names the format (.flac, .wav, .ogg). Louder than full scale is turned down.

        Integer formats clip silently above 1.0, so the peak is brought to 1.0 first where it lies above. A gain other
        than 1 is kept in the file's comment.
        """
        import soundfile

        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        peak = float(self.samples.abs().max()) if self.samples.numel() else 0.0
        scale = 1.0 if peak <= 1.0 else 1.0 / peak
        with soundfile.SoundFile(path, "w", self.rate, len(self.samples)) as file:
            if (gain := self.gain * scale) != 1.0:
                file.comment = f"{GAIN}{gain!r}"
            file.write((self.samples * scale).numpy().T)
        return path

    @classmethod
    def load(cls, path: str | Path) -> Audio:
        """Read a clip written by `save`, its gain included (or any file soundfile reads, of gain 1)."""
        import soundfile
        import torch

        with soundfile.SoundFile(path) as file:
            samples, kept = file.read(dtype="float32", always_2d=True), file.comment
            gain = float(kept.removeprefix(GAIN)) if kept.startswith(GAIN) else 1.0
            return cls(torch.from_numpy(samples.T.copy()), int(file.samplerate), gain)
