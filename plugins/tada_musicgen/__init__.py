"""MusicGen, through its transformers classes."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_models() -> list[Entry]:
    """The model."""
    summary = "MusicGen small, medium and large, mono or stereo: autoregressive, up to 30 s at 32 kHz."
    return [Entry("model", "musicgen", "tada_musicgen.adapter:MusicGen", summary, licence="CC-BY-NC-4.0")]
