"""ACE-Step v1 3.5B, the main model of the TADA paper, in an implementation of our own."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_models() -> list[Entry]:
    """The model."""
    summary = "ACE-Step v1 3.5B: songs with lyrics, 44.1 kHz stereo, up to four minutes; 24 cross-attention layers."
    return [Entry("model", "ace-step", "tada_ace_step.adapter:AceStep", summary, licence="Apache-2.0")]
