"""Concepts: the shared table of musical ideas, their prompts and their queries; and counterfactual captions of them."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl

_SUMMARIES = {
    "tempo": "Fast against slow.",
    "brightness": "Bright against dark.",
    "register": "High notes against low ones.",
    "drums": "With drums against without.",
    "mode": "Major against minor.",
}


@hookimpl
def tada_concepts() -> list[Entry]:
    """One entry per concept."""
    return [
        Entry("concept", name, f"tada_concepts.table:{name.upper()}", summary, licence="Apache-2.0")
        for name, summary in _SUMMARIES.items()
    ]


@hookimpl
def tada_commands() -> list[Entry]:
    """The maker of counterfactual captions."""
    summary = "Make pairs of captions that differ in a concept's words alone."
    return [Entry("command", "counterfactuals", "tada_concepts.command:counterfactuals", summary)]
