"""A plugin that brings a name that is taken, and one that is free."""

from tada_core import Entry, hookimpl


@hookimpl
def tada_methods():
    return [
        Entry("method", "caa", "acme_duplicate:Other", "Not the first of its name."),
        Entry("method", "acme-free", "acme_duplicate:Other", "The first of its name."),
    ]
