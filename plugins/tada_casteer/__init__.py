"""CASteer: steering cross-attention on every branch of guidance, and removing one side of a concept."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_methods() -> list[Entry]:
    """The method."""
    summary = "Cross-attention steering: CAA's vectors on every branch, or reflects frames that show one side."
    return [Entry("method", "casteer", "tada_casteer.casteer:CASteer", summary, licence="Apache-2.0")]
