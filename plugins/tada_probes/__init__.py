"""Probes: measures of musical attributes in the audio itself."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_metrics() -> list[Entry]:
    """The metric."""
    summary = "Alignment measured in the audio: tempo, brightness, register, drums, mode, instrument; no weights."
    return [Entry("metric", "probes", "tada_probes.metric:Probes", summary, licence="Apache-2.0")]
