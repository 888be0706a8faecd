"""Audiobox Aesthetics: how good a clip sounds, on four axes, with nothing to compare it with."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl

AXES = {
    "ce": ("Enjoyment", "content enjoyment"),
    "cu": ("Usefulness", "content usefulness"),
    "pc": ("Complexity", "production complexity"),
    "pq": ("Production", "production quality"),
}


@hookimpl
def tada_metrics() -> list[Entry]:
    """One metric per axis, and their mean."""
    all_four = _entry("aesthetics", "Aesthetics", "mean of the four axes, the protocol's quality")
    return [all_four, *(_entry(f"aesthetics-{axis}", kind, words) for axis, (kind, words) in AXES.items())]


def _entry(name: str, kind: str, words: str) -> Entry:
    extra, summary = "aesthetics", f"Quality by Audiobox Aesthetics: {words}, 1 to 10."
    where, needs = f"tada_aesthetics.metric:{kind}", ("audiobox_aesthetics",)
    return Entry("metric", name, where, summary, extra=extra, requires=needs, licence="CC-BY-4.0")
