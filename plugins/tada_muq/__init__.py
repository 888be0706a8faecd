"""MuQ-MuLan: how well a clip fits a text, by the embeddings of both."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_metrics() -> list[Entry]:
    """The metric."""
    summary = "Alignment by MuQ-MuLan: cosine of a clip's embedding with the concept's query, at 24 kHz."
    where = "tada_muq.metric:MuQ"
    return [Entry("metric", "muq", where, summary, extra="muq", requires=("muq",), licence="CC-BY-NC-4.0")]
