"""LongCat-AudioDiT, through its diffusers pipeline."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_models() -> list[Entry]:
    """The model."""
    summary = "LongCat-AudioDiT 1B: up to 30 s of 24 kHz mono; 24 cross-attention layers, and text in every AdaLN."
    return [Entry("model", "longcat", "tada_longcat.adapter:LongCat", summary, licence="MIT")]
