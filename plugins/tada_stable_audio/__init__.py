"""Stable Audio Open and Stable Audio 3, through their diffusers pipelines."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl

LICENCE = "LicenseRef-Stability-AI-Community"


@hookimpl
def tada_models() -> list[Entry]:
    """The two models; both ask for their licence to be accepted on the hub before the weights can be had."""
    return [
        Entry(
            "model",
            "stable-audio-open",
            "tada_stable_audio.adapter:StableAudioOpen",
            "Stable Audio Open 1.0: 47 s of 44.1 kHz stereo; 24 cross-attention layers; gated weights.",
            extra="stable-audio",
            requires=("torchsde",),
            licence=LICENCE,
        ),
        Entry(
            "model",
            "stable-audio-3",
            "tada_stable_audio.adapter:StableAudio3",
            "Stable Audio 3 medium: up to 6 minutes of 44.1 kHz stereo; 24 cross-attention layers; gated weights.",
            licence=LICENCE,
        ),
    ]
