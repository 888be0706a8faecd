"""ACE-Step 1.5, through its diffusers pipeline."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_models() -> list[Entry]:
    """The model; turbo and base checkpoints are sources of the same class."""
    summary = "ACE-Step 1.5 (turbo and base): songs with lyrics, 48 kHz stereo; 24 or 32 cross-attention layers."
    return [Entry("model", "ace-step-1.5", "tada_ace_step_15.adapter:AceStep15", summary, licence="MIT")]
