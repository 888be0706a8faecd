"""A plugin whose own name is taken by another distribution."""

from tada_core import Entry, hookimpl


@hookimpl
def tada_methods():
    return [Entry("method", "zzz-method", "zzz_namesake:Method", "Never listed.")]
