"""Sparse autoencoders of activations: how they are trained, measured, saved, read, and steered with."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_commands() -> list[Entry]:
    """Training, the converter of file formats, and the page of features."""
    train = "Train sparse autoencoders of a model's layers, all from one stream of clips."
    convert = "Convert a sparse autoencoder between the files of SAELens and of sparsify."
    report = "Write a page of the features of sparse autoencoders, and of the clips they fire on."
    return [
        Entry("command", "train-sae", "tada_sae.command_train:train_sae", train),
        Entry("command", "sae-report", "tada_sae.command_report:sae_report", report),
        Entry("command", "convert-sae", "tada_sae.command:convert_sae", convert),
    ]


@hookimpl
def tada_methods() -> list[Entry]:
    """Steering by features."""
    summary = "Adds features of sparse autoencoders that fire on one side of a concept, or edits them."
    return [Entry("method", "sae", "tada_sae.method:SAE", summary, licence="Apache-2.0")]
