"""Etude's decoder, in the place of a pipeline's VAE: tokens of 64 ms -> log-mel patches -> magnitudes -> audio."""

from __future__ import annotations

from typing import Final

import torch
from diffusers import AutoencoderOobleck, ConfigMixin, ModelMixin, SchedulerMixin
from diffusers.configuration_utils import register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput

from tada_etude.phase import griffin_lim
from tada_etude.spectrum import Frames, invert_mel, mel_matrix

__all__ = ["ConfigMixin", "EtudeDecoder", "ModelMixin", "SchedulerMixin"]
# The three mixins are looked up in this module by `DiffusionPipeline.from_pretrained`.

FADE: Final = 0.006
"""Seconds over which decoded audio opens and closes."""


class EtudeDecoder(AutoencoderOobleck):  # type: ignore[misc]
    """A linear code of log-mel patches with a phase reconstruction behind it. Not trained by gradient: a PCA.

    Latents [batch, channels, tokens] have a mean variance of 1 over a data set; a token is `patch` frames of `hop`
    samples. It is an AutoencoderOobleck by role only (the type that StableAudioPipeline asks for) and shares no layer
    with it. `encode` is the inverse of the linear part, up to the variance that the PCA leaves out.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        sampling_rate: int = 16000,
        audio_channels: int = 1,
        decoder_input_channels: int = 80,
        n_fft: int = 2048,
        hop: int = 512,
        bands: int = 128,
        knee: float = 200.0,
        patch: int = 2,
        floor: float = 1e-3,
        iterations: int = 16,
        momentum: float = 0.9,
    ) -> None:
        super(AutoencoderOobleck, self).__init__()
        width = bands * patch
        self.frames = Frames(n_fft, hop)
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(decoder_input_channels))
        self.register_buffer("components", torch.zeros(decoder_input_channels, width))
        self.register_buffer("mel", mel_matrix(bands, n_fft, sampling_rate, knee), persistent=False)

    @property
    def hop_length(self) -> int:
        """Samples per token."""
        return int(self.config.hop * self.config.patch)

    @property
    def sampling_rate(self) -> int:
        """Rate of the audio in Hz."""
        return int(self.config.sampling_rate)

    def log_mel(self, audio: torch.Tensor) -> torch.Tensor:
        """Natural logarithm of the mel magnitudes [batch, bands, frames] of audio [batch, 1, samples]."""
        magnitudes = self.frames.analyse(audio[:, 0]).abs()
        return torch.log(torch.clamp(self.mel @ magnitudes, min=self.config.floor))

    def patches(self, log_mel: torch.Tensor) -> torch.Tensor:
        """Log-mel [batch, bands, frames] as patches [batch, tokens, bands * patch]."""
        batch, bands, frames = log_mel.shape
        grouped = log_mel.reshape(batch, bands, frames // self.config.patch, self.config.patch)
        return grouped.permute(0, 2, 3, 1).reshape(batch, frames // self.config.patch, -1)

    def encode(self, audio: torch.Tensor) -> torch.Tensor:
        """Latents [batch, channels, tokens] of audio [batch, 1, samples] (samples a multiple of `hop_length`)."""
        centred = self.patches(self.log_mel(audio)) - self.mean
        latents: torch.Tensor = ((centred @ self.components.T) / self.scale).transpose(1, 2)
        return latents

    def decode_mel(self, latents: torch.Tensor) -> torch.Tensor:
        """Log-mel [batch, bands, frames] of latents [batch, channels, tokens]."""
        batch, _, tokens = latents.shape
        patches = (latents.transpose(1, 2) * self.scale) @ self.components + self.mean
        grouped: torch.Tensor = patches.reshape(batch, tokens * self.config.patch, self.config.bands)
        return grouped.transpose(1, 2)

    def decode(self, latents: torch.Tensor, return_dict: bool = True) -> DecoderOutput | tuple[torch.Tensor]:
        """Audio [batch, 1, samples] in [-1, 1] of latents [batch, channels, tokens].

        A clip is scaled down as a whole where its peak would pass 0.98; nothing is clipped. The ends are faded.
        """
        log_mel = self.decode_mel(latents.float())
        audible = torch.clamp(torch.exp(torch.clamp(log_mel, max=2.0)) - self.config.floor, min=0.0)
        magnitudes = invert_mel(self.mel, audible)
        audio = griffin_lim(self.frames, magnitudes, self.config.iterations, self.config.momentum)
        audio = audio / torch.clamp(audio.abs().amax(-1, keepdim=True) / 0.98, min=1.0)
        audio = (audio * self._fade(audio.shape[-1]).to(audio)).unsqueeze(1)
        return DecoderOutput(sample=audio) if return_dict else (audio,)

    def _fade(self, samples: int) -> torch.Tensor:
        ramp = torch.linspace(0, 1, round(FADE * self.config.sampling_rate))
        gain = torch.ones(samples)
        gain[: len(ramp)], gain[-len(ramp) :] = ramp, ramp.flip(0)
        return gain
