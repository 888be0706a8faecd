"""Attribution patching: what every layer carries of a concept, from one gradient instead of a run per layer."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_commands() -> list[Entry]:
    """The command."""
    summary = "Estimate how much of a concept each layer carries, from gradients: cheaper than localize, not exact."
    return [Entry("command", "attribute", "tada_attribution.command:attribute", summary)]
