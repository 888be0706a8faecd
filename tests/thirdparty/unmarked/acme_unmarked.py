"""A plugin that forgot the mark above its hook."""

from tada_core import Entry


def tada_methods():
    return [Entry("method", "acme-unmarked", "acme_unmarked:Method", "Never listed.")]
