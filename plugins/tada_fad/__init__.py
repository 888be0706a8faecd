"""FAD: how far the embeddings of one set of clips lie from those of another."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_commands() -> list[Entry]:
    """The command. No metric: a metric gives one number per clip, and a set has one distance."""
    summary = "Frechet distance between two folders of clips, by any metric that embeds clips, such as muq."
    return [Entry("command", "fad", "tada_fad.command:fad", summary, licence="Apache-2.0")]
