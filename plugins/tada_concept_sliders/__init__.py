"""Concept Sliders: a small adapter on the cross-attention projections, trained to move predictions along a concept."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_methods() -> list[Entry]:
    """The method."""
    summary = "Concept Sliders: trains a LoRA on the cross-attention projections; strength is the adapter's weight."
    target, extra = "tada_concept_sliders.sliders:ConceptSliders", "concept-sliders"
    return [Entry("method", "concept-sliders", target, summary, extra, ("peft",), "Apache-2.0")]
