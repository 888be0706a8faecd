"""AudioLDM2, through its diffusers pipeline."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_models() -> list[Entry]:
    """The model; cvssp/audioldm2-large and cvssp/audioldm2-music are other sources of the same class."""
    summary = "AudioLDM2: 10 s of 16 kHz mono; a UNet whose cross-attention reads two text streams (GPT-2 and T5)."
    target = "tada_audioldm2.adapter:AudioLDM2"
    return [Entry("model", "audioldm2", target, summary, licence="CC-BY-NC-SA-4.0")]
