"""A plugin whose hooks return what they should not."""

from tada_core import Entry, hookimpl


@hookimpl
def tada_methods():
    return [Entry("metric", "acme-metric", "acme_wrong:Metric", "In the wrong hook.")]


@hookimpl
def tada_concepts():
    return "tempo"
