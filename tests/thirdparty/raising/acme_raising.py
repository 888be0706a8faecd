"""A plugin with one hook that fails and one that works."""

from tada_core import Entry, hookimpl


@hookimpl
def tada_methods():
    raise RuntimeError("no methods today")


@hookimpl
def tada_concepts():
    return [Entry("concept", "acme-works", "acme_raising:CONCEPT", "Listed all the same.")]
