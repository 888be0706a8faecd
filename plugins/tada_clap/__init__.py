"""CLAP and LPAPS: likeness to a text, and distance to a reference, from one network heard once."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_metrics() -> list[Entry]:
    """The metrics; their weights are read at the first score."""
    found = {
        "clap": ("clap:Clap", "Alignment: cosine of audio and text in the music CLAP of LAION."),
        "lpaps": (
            "lpaps:Lpaps",
            "Preservation: distance of HTSAT's stages, normalised over tokens (TADA).",
        ),
        "lpaps-channels": ("lpaps:LpapsChannels", "Preservation: the same, normalised over channels (LPIPS)."),
    }
    return [
        Entry("metric", name, f"tada_clap.{target}", summary, licence="CC0-1.0")
        for name, (target, summary) in found.items()
    ]
