"""Sparse autoencoders of activations: how they are trained, measured, saved and read."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_commands() -> list[Entry]:
    """The converter of file formats."""
    summary = "Convert a sparse autoencoder between the files of SAELens and of sparsify."
    return [Entry("command", "convert-sae", "tada_sae.command:convert_sae", summary)]
