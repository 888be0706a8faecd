"""FreeSliders: steering by a difference of the denoiser's predictions."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_methods() -> list[Entry]:
    """The method."""
    summary = "FreeSliders: adds the difference of two predictions, made in two more passes per step."
    return [Entry("method", "freesliders", "tada_freesliders.freesliders:FreeSliders", summary, licence="Apache-2.0")]
