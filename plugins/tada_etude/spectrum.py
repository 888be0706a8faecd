"""Short-time Fourier transform whose frames tile the clip exactly, and a mel scale with its inverse."""

from __future__ import annotations

import attrs
import torch


@attrs.frozen(eq=False)
class Frames:
    """Analysis and resynthesis in Hann-windowed frames of `n_fft` samples, `hop` apart, samples / hop of them.

    A sine of amplitude 1 has magnitude 1 at its peak.
    """

    n_fft: int
    hop: int
    window: torch.Tensor = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "window", torch.hann_window(self.n_fft))

    @property
    def margin(self) -> int:
        """Samples of silence put before and after a clip, so that the first frame is centred on its first hop."""
        return (self.n_fft - self.hop) // 2

    def analyse(self, audio: torch.Tensor) -> torch.Tensor:
        """Complex spectrum [batch, n_fft // 2 + 1, frames] of audio [batch, samples]."""
        padded = torch.nn.functional.pad(audio, (self.margin, self.margin))
        frames = padded.unfold(-1, self.n_fft, self.hop) * self.window.to(audio.device)
        spectrum: torch.Tensor = torch.fft.rfft(frames).transpose(1, 2) * (4.0 / self.n_fft)
        return spectrum

    def synthesise(self, spectrum: torch.Tensor) -> torch.Tensor:
        """Audio [batch, samples] whose spectrum is nearest in the least-squares sense (Griffin and Lim 1984, eq. 6)."""
        window = self.window.to(spectrum.device)
        frames = torch.fft.irfft(spectrum.transpose(1, 2) * (self.n_fft / 4.0), n=self.n_fft) * window
        added = self._overlap_add(frames)
        weight = self._overlap_add((window**2).expand(1, frames.shape[1], -1))
        body = slice(self.margin, added.shape[-1] - self.margin)
        return added[:, body] / weight[:, body]

    def _overlap_add(self, frames: torch.Tensor) -> torch.Tensor:
        batch, count, _ = frames.shape
        parts = self.n_fft // self.hop
        pieces = frames.reshape(batch, count, parts, self.hop)
        out = frames.new_zeros(batch, count + parts - 1, self.hop)
        for part in range(parts):
            out[:, part : part + count] += pieces[:, :, part]
        return out.reshape(batch, -1)


def mel_matrix(bands: int, n_fft: int, rate: int, knee: float, lowest: float = 30.0) -> torch.Tensor:
    """Triangular filters [bands, n_fft // 2 + 1] of unit height, evenly spaced in log(1 + f / knee) up to rate / 2.

    With `knee` 700 (Hz) this is the HTK mel scale; a lower one gives low notes more bands. A triangle too narrow to
    touch a bin takes the bin nearest to its centre.
    """
    frequency = torch.linspace(0, rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    low, high = torch.log1p(torch.tensor([lowest, rate / 2], dtype=torch.float64) / knee).tolist()
    edges = knee * torch.expm1(torch.linspace(low, high, bands + 2, dtype=torch.float64))
    rising = (frequency - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - frequency) / (edges[2:] - edges[1:-1])[:, None]
    filters = torch.clamp(torch.minimum(rising, falling), min=0.0)
    nearest = (frequency - edges[1:-1, None]).abs().argmin(1)
    missed = filters.sum(1) == 0
    filters[missed, nearest[missed]] = 1.0
    return filters.float()


def invert_mel(mel: torch.Tensor, bands: torch.Tensor, updates: int = 12) -> torch.Tensor:
    """Non-negative magnitudes [batch, bins, frames] whose mel bands [batch, n, frames] are nearest.

    Multiplicative updates (Lee and Seung 2001, for the Euclidean distance), from the transpose as a first guess.
    """
    back = mel.T / torch.clamp(mel.sum(0)[:, None], min=1e-6)
    x = back @ (bands / mel.sum(1)[:, None])
    numerator = mel.T @ bands
    gram = mel.T @ mel
    for _ in range(updates):
        x = x * (numerator / (gram @ x + 1e-9))
    return x
