"""AUSteer: steering the few features whose sign tells the two sides of a concept apart."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_methods() -> list[Entry]:
    """The method."""
    summary = "Steers the k features, over all layers, that most often grow or shrink with the concept."
    return [Entry("method", "austeer", "tada_austeer.austeer:AUSteer", summary, licence="Apache-2.0")]
