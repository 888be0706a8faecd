"""Preservation: how far a clip has moved from its unsteered self."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_metrics() -> list[Entry]:
    """The metric."""
    summary = "Preservation: log-mel and chroma distance to the unsteered clip; no weights."
    return [Entry("metric", "spectral", "tada_preservation.metric:SpectralDistance", summary, licence="Apache-2.0")]
