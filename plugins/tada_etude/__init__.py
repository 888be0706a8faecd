"""etude: a small text-to-music model trained on procedural music, and a listener trained alike; both ship here."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_models() -> list[Entry]:
    """The model."""
    summary = "Small text-to-music diffusion model trained on procedural music; ships with the package, runs on a CPU."
    return [Entry("model", "etude", "tada_etude.adapter:Etude", summary, licence="Apache-2.0")]


@hookimpl
def tada_metrics() -> list[Entry]:
    """What the listener hears."""
    found = {
        "listener": ("Similarity", "Alignment: cosine of audio and text in a small model that ships with etude."),
        "listener-lpaps": ("Distance", "Preservation: LPAPS in the stages of the same model."),
        "listener-quality": ("Quality", "Quality: how little damage the same model hears, without a reference."),
    }
    return [
        Entry("metric", name, f"tada_etude.listener.metrics:{kind}", summary, licence="Apache-2.0")
        for name, (kind, summary) in found.items()
    ]


@hookimpl
def tada_commands() -> list[Entry]:
    """Their training commands."""
    etude = "Train etude from scratch, or resume its training."
    listener = "Train the listener from scratch, or resume its training."
    return [
        Entry("command", "train-etude", "tada_etude.command:train_etude", etude),
        Entry("command", "train-listener", "tada_etude.listener.command:train_listener", listener),
    ]
