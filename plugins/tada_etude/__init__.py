"""etude: a small text-to-music diffusion model, trained on procedural music, that ships with the package."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_models() -> list[Entry]:
    """The model."""
    summary = "Small text-to-music diffusion model trained on procedural music; ships with the package, runs on a CPU."
    return [Entry("model", "etude", "tada_etude.adapter:Etude", summary, licence="Apache-2.0")]


@hookimpl
def tada_commands() -> list[Entry]:
    """Its training command."""
    summary = "Train etude from scratch, or resume its training."
    return [Entry("command", "train-etude", "tada_etude.command:train_etude", summary)]
