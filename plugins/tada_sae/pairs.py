"""Autoencoders of a concept's own clips: a small training that needs no other prompts.

Differs from the paper: a few dozen clips in the place of 5,521 captions, with a rate that works at that scale; each
batch of clips is fed several times as it comes, where the paper goes over all of them again.
"""

from __future__ import annotations

from collections.abc import Sequence

from tada_core import Concept, ModelAdapter, SparseAutoencoder
from tada_core.progress import Progress
from tada_sae.prompts import SIDES
from tada_sae.settings import Spec, TrainSettings
from tada_sae.stream import row_batches
from tada_sae.training import Training


def train_on(
    model: ModelAdapter,
    concept: Concept,
    specs: Sequence[Spec],
    settings: TrainSettings,
    epochs: int,
    progress: Progress | None = None,
) -> dict[int, SparseAutoencoder]:
    """One autoencoder per spec, by layer, out of all three sides of every prompt of a concept.

    Args:
        model: the adapter.
        concept: all its prompts are used.
        specs: one per layer.
        settings: how.
        epochs: how often every token is fed.
        progress: called with (clips done, clips in all); by default a bar, at a terminal.

    Raises:
        SpecError: fewer tokens than a batch; and as `Training`.
    """
    prompts = [concept.text(side, prompt) for prompt in concept.prompts for side in SIDES]
    training = Training(model, specs, settings)
    for _ in training.over(row_batches(model, prompts, settings.stream), epochs, progress):
        pass
    return {spec.layer: trainer.autoencoder.value() for spec, trainer in training.trainers.items()}
