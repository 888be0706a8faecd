"""PCI: steering by switching the prompt at one point of the trajectory."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_methods() -> list[Entry]:
    """The method."""
    summary = "Prompt change at an intermediate step: the concept's own prompt from some point of the trajectory on."
    return [Entry("method", "pci", "tada_pci.pci:PCI", summary, licence="Apache-2.0")]
