"""A plugin that needs an optional package which is not installed."""

from tada_core import Entry, hookimpl


@hookimpl
def tada_metrics():
    return [
        Entry(
            "metric", "acme-heavy", "acme_extra:Heavy", "Needs more.", extra="heavy", requires=("acme_no_such_module",)
        )
    ]
