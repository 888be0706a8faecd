"""A plugin with a slip of the pen in the name of a hook."""

from tada_core import Entry, hookimpl


@hookimpl
def tada_metods():
    return [Entry("method", "acme-typo", "acme_typo:Method", "Never listed.")]
