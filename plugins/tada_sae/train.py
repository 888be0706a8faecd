"""Training of many autoencoders on one stream of clips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tada_core import ModelAdapter
from tada_core.errors import SpecError
from tada_core.progress import Progress
from tada_sae.checkpoint import identity, read, write
from tada_sae.settings import Spec, TrainSettings
from tada_sae.stream import row_batches
from tada_sae.trainer import Trainer
from tada_sae.training import Training

Watch = Callable[[Mapping[Spec, Trainer]], None]
"""Called with the trainers by spec."""


def train(
    model: ModelAdapter,
    prompts: Sequence[str],
    specs: Sequence[Spec],
    settings: TrainSettings | None = None,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> dict[Spec, Trainer]:
    """Train an autoencoder for every spec; all of them on the same clips, those of a layer on the same batches.

    Args:
        model: the adapter.
        prompts: full prompts, one clip each per seed (published: 5,521 captions of MusicCaps).
        specs: what to train.
        settings: how.
        folder: where checkpoints are kept; a training that was stopped goes on from there and ends, bit for bit, as
            if it had not been. The model's weights must be the same, which is not checked.
        progress: called with (clips done, clips in all) after every generation batch; by default a bar, at a terminal.
        watch: called with the trainers just before, to see how they are doing.

    Returns:
        The trainers by spec: `autoencoder.value()` is the result, `figures()` says how good it is.

    Raises:
        SpecError: no prompts or specs, a spec twice, more kept than features, or too few tokens for a single batch.
        UnknownNameError: a layer that does not exist.
        ArtifactError: `folder` holds a damaged checkpoint, or one of another training.
    """
    own = settings or TrainSettings()
    training, place = Training(model, specs, own), None if folder is None else Path(folder)
    of = identity(model, prompts, specs, own)
    if place is not None and (found := read(place, of)) is not None:
        training.load_state_dict(found)
    batches = row_batches(model, prompts, own.stream)
    if not batches:
        raise SpecError("no prompts to make clips of; give at least one")
    for _ in training.over(batches, progress=progress):
        if place is not None and (training.done % own.save_every == 0 or training.done == len(batches)):
            write(place, of, training.state_dict())
        if watch is not None:
            watch(training.trainers)
    return training.trainers
