"""Concepts: the shared table of musical ideas, their prompts and their queries; and counterfactual captions of them."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl

_TABLES = {
    "table": {
        "tempo": "Fast against slow.",
        "brightness": "Bright against dark.",
        "register": "High notes against low ones.",
        "drums": "With drums against without.",
        "mode": "Major against minor.",
    },
    "paper": {
        "piano": "With piano against without (TADA).",
        "mood": "Happy against sad (TADA).",
        "song-tempo": "Fast against slow, in TADA's words.",
        "vocal-gender": "Female against male vocals (TADA).",
        "vocal-style": "Rapped against sung (TADA).",
        "violin": "With violin against without (TADA).",
        "guitar": "Acoustic against electric guitar (TADA).",
        "rock-genre": "Jazz against rock (TADA).",
        "electronic-music": "Classical against electronic (TADA).",
        "timbre": "Bright against dark timbre (Facchiano et al.).",
    },
    "figure3": {
        f"{positive}-to-{negative}": f"{positive.capitalize()} against {negative}, as in TADA's figure 3."
        for positive, negative in (
            *(("female", "male"), ("male", "female"), ("slow", "fast"), ("fast", "slow")),
            *(("happy", "sad"), ("sad", "happy"), ("drums", "saxophone"), ("flute", "maracas")),
            *(("maracas", "flute"), ("trumpet", "violin"), ("violin", "trumpet"), ("guitar", "piano")),
            *(("jazz", "opera"), ("reggae", "metal"), ("techno", "folk")),
        )
    },
}
"""Module -> concept -> what it is."""


@hookimpl
def tada_concepts() -> list[Entry]:
    """One entry per concept."""
    return [
        Entry("concept", name, f"tada_concepts.{module}:{_constant(name)}", summary, licence="Apache-2.0")
        for module, summaries in _TABLES.items()
        for name, summary in summaries.items()
    ]


def _constant(name: str) -> str:
    return name.upper().replace("-", "_")


@hookimpl
def tada_commands() -> list[Entry]:
    """The maker of counterfactual captions."""
    summary = "Make pairs of captions that differ in a concept's words alone."
    return [Entry("command", "counterfactuals", "tada_concepts.command:counterfactuals", summary)]
