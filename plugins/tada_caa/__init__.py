"""CAA: steering by the mean difference of activations between two sides of a concept."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_methods() -> list[Entry]:
    """The method."""
    summary = "Contrastive activation addition: adds the mean difference of activations, one vector per step and layer."
    return [Entry("method", "caa", "tada_caa.caa:CAA", summary, licence="Apache-2.0")]
