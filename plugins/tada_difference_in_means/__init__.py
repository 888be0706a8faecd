"""Difference in means: steering the residual stream along the concept's mean difference."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_methods() -> list[Entry]:
    """The method."""
    target = "tada_difference_in_means.difference_in_means:DifferenceInMeans"
    summary = "Adds or removes the mean difference of the residual stream, each layer's own or one layer's at all."
    return [Entry("method", "difference-in-means", target, summary, licence="Apache-2.0")]
