"""The training set: latents of synthesised clips, made once in parallel and kept in a file."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from tada_etude.decoder import EtudeDecoder
from tada_etude.synth import Attributes, caption, draw, render
from tada_etude.training.config import TrainConfig

CHUNK: Final = 32
"""Clips that a worker makes at a time."""


@attrs.frozen(eq=False)
class Dataset:
    """Latents [clips, channels, tokens] (float16) of the clips with seeds 0, 1, ...; the decoder that reads them."""

    latents: NDArray[np.float16]
    decoder: EtudeDecoder

    def attributes(self, index: int) -> Attributes:
        """What is true of a clip."""
        return draw(index)


def load_dataset(config: TrainConfig, folder: Path, report: Callable[[str], None] = print) -> Dataset:
    """The data set of a configuration, read from `folder` or synthesised there (about 18 ms of two cores a clip)."""
    path = folder / f"latents-{config.clips}-{config.channels}.pt"
    if not path.exists():
        decoder = fit_decoder(config, report)
        latents = np.concatenate(list(parallel(partial(_encode, decoder.state_dict()), config.clips, report)))
        temporary = path.with_suffix(".part")
        torch.save({"latents": torch.from_numpy(latents), "decoder": decoder.state_dict()}, temporary)
        temporary.replace(path)
    stored = torch.load(path, weights_only=True)
    return Dataset(stored["latents"].numpy(), _decoder(stored["decoder"]))


def fit_decoder(config: TrainConfig, report: Callable[[str], None] = print) -> EtudeDecoder:
    """A decoder whose code is the principal components of the log-mel patches of the first `fit_clips` clips.

    Each component is divided by the square root of its standard deviation (half-way to whitening, so that loud
    structure still weighs more), and all by one number that makes the mean variance 1. Statistics are in float64.
    """
    decoder: EtudeDecoder = EtudeDecoder(decoder_input_channels=config.channels)
    patches = np.concatenate(list(parallel(_patches, config.fit_clips, report))).astype(np.float64)
    mean = patches.mean(0)
    variance, vectors = np.linalg.eigh(np.cov((patches - mean).T))
    variance, vectors = variance[::-1][: config.channels], vectors[:, ::-1][:, : config.channels]
    scale = variance**0.25
    scale *= np.sqrt(np.mean(variance / scale**2))
    for name, value in (("mean", mean), ("scale", scale), ("components", vectors.T)):
        getattr(decoder, name).copy_(torch.from_numpy(np.ascontiguousarray(value)))
    return decoder


def _decoder(state: dict[str, torch.Tensor]) -> EtudeDecoder:
    decoder: EtudeDecoder = EtudeDecoder(decoder_input_channels=len(state["scale"]))
    decoder.load_state_dict(state)
    return decoder


def _clips(seeds: range) -> torch.Tensor:
    return torch.from_numpy(np.stack([render(draw(seed)) for seed in seeds])).unsqueeze(1)


def _patches(seeds: range) -> NDArray[np.float32]:
    decoder = EtudeDecoder()
    patches = decoder.patches(decoder.log_mel(_clips(seeds)))
    return np.asarray(patches.flatten(0, 1))


def _encode(state: dict[str, torch.Tensor], seeds: range) -> NDArray[np.float16]:
    return np.asarray(_decoder(state).encode(_clips(seeds)).half())


def parallel(
    work: Callable[[range], NDArray[Any]], clips: int, report: Callable[[str], None]
) -> Iterator[NDArray[Any]]:
    """What `work` makes of the seeds 0 to `clips`, CHUNK of them at a time, in order; on all cores."""
    chunks = [range(first, min(first + CHUNK, clips)) for first in range(0, clips, CHUNK)]
    if len(chunks) == 1:
        yield work(chunks[0])
        return
    with multiprocessing.get_context("spawn").Pool(os.cpu_count(), torch.set_num_threads, (1,)) as pool:
        for i, made in enumerate(pool.imap(work, chunks)):
            if i % 20 == 0:
                report(f"clips {i * CHUNK}/{clips}")
            yield made


def captions(dataset: Dataset, indices: NDArray[np.int64], config: TrainConfig, rng: np.random.Generator) -> list[str]:
    """Fresh captions for clips, some of them with a meaningless word, so that unknown words disturb nothing."""
    texts = [caption(dataset.attributes(int(i)), int(rng.integers(2**31))) for i in indices]
    return [_distract(text, rng) if rng.random() < config.distraction else text for text in texts]


def _distract(text: str, rng: np.random.Generator) -> str:
    words = text.split(" ")
    for _ in range(int(rng.integers(1, 3))):
        letters = rng.integers(97, 123, int(rng.integers(2, 9)), dtype=np.uint8)
        words.insert(int(rng.integers(len(words) + 1)), letters.tobytes().decode())
    return " ".join(words)
