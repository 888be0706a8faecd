"""The shared part of adapters whose model is a diffusers pipeline."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from tada_core.adapter import Batch, Call, Defaults, ModelAdapter
from tada_core.audio import Audio
from tada_core.errors import CheckpointError
from tada_core.sites import Layer


class PipelineAdapter(ModelAdapter):
    """A diffusers pipeline whose denoiser sees all branches of guidance in one batch.

    A subclass names the pipeline class, its layers, and how a batch becomes the pipeline's keyword arguments.

    Class attributes:
        pipeline: name of the class in diffusers.
        network: name of the denoiser among the pipeline's components.
        order: branches of a guided call, in batch order.
        batched: the denoiser's arguments that have the batch axis, by position or name.
        source: hub id or folder used when `load` is given none.
    """

    pipeline: ClassVar[str]
    network: ClassVar[str] = "transformer"
    order: ClassVar[tuple[Literal["cond", "uncond"], ...]] = ("uncond", "cond")
    batched: ClassVar[tuple[int | str, ...]] = (0, "hidden_states", "encoder_hidden_states")
    source: ClassVar[str] = ""

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.pipe.set_progress_bar_config(disable=True)
        self.rate = self.sample_rate()
        self.layers = self.find_layers()
        self.defaults = self.find_defaults()

    @classmethod
    def load(
        cls, source: str | None = None, *, device: str = "cpu", dtype: torch.dtype = torch.float32, **options: Any
    ) -> Self:
        """Load the pipeline from a folder or hub id (default: the model's own).

        Raises:
            CheckpointError: the folder does not exist, or a file of it is missing.
        """
        import diffusers

        where = source or cls.source
        if Path(where).is_dir() and not (Path(where) / "model_index.json").exists():
            raise CheckpointError(f"'{where}' is no pipeline folder: model_index.json is missing")
        try:
            with _quiet():
                pipe = getattr(diffusers, cls.pipeline).from_pretrained(where, dtype=dtype, **options)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"model '{cls.name}' cannot be loaded from '{where}': {error}") from error
        return cls(pipe.to(device))

    @abstractmethod
    def sample_rate(self) -> int:
        """Samples per second of the clips."""

    @abstractmethod
    def find_layers(self) -> tuple[Layer, ...]:
        """The layer table, read off the loaded network."""

    @abstractmethod
    def find_defaults(self) -> Defaults:
        """Settings of a generation that does not say otherwise."""

    @abstractmethod
    def arguments(self, batch: Batch) -> dict[str, Any]:
        """The pipeline's keyword arguments for a batch, without those every pipeline has."""

    @property
    def denoiser(self) -> nn.Module:
        """The pipeline's network."""
        network: nn.Module = getattr(self.pipe, self.network)
        return network

    def branches(self, guidance: float) -> tuple[str, ...]:
        """All branches above guidance 1, the conditional one alone at or below it."""
        return self.order if guidance > 1.0 else ("cond",)

    def locate(self, args: Sequence[Any], kwargs: Mapping[str, Any], rows: int) -> Call:
        """Step and sigma from the scheduler, branches from the rows of the call."""
        scheduler = self.pipe.scheduler
        step = scheduler.step_index or 0
        hidden = args[0] if args else kwargs["hidden_states"]
        order = self.order if hidden.shape[0] == len(self.order) * rows else ("cond",)
        places: dict[str, slice] = {
            branch: slice(index * rows, (index + 1) * rows) for index, branch in enumerate(order)
        }
        return Call(step, len(scheduler.timesteps), float(scheduler.sigmas[step]), places)

    def take(self, args: Sequence[Any], kwargs: Mapping[str, Any], places: Sequence[int]) -> tuple[Any, dict[str, Any]]:
        """The denoiser's arguments for some rows of the call only."""
        index = list(places)
        picked = tuple(value[index] if number in self.batched else value for number, value in enumerate(args))
        named = {
            name: value[index] if name in self.batched and isinstance(value, Tensor) else value
            for name, value in kwargs.items()
        }
        return picked, named

    def sample(self, batch: Batch) -> Tensor:
        """Final latents of the pipeline, [rows, channels, frames]."""
        output = self.pipe(
            prompt=list(batch.texts),
            num_inference_steps=batch.steps,
            guidance_scale=batch.guidance,
            generator=batch.generators(),
            output_type="latent",
            **self.arguments(batch),
        )
        latents: Tensor = output.audios
        return latents

    @torch.no_grad()
    def decode(self, latents: Tensor, batch: Batch) -> list[Audio]:
        """Clips out of the pipeline's decoder, cut to the asked length."""
        samples = self.pipe.vae.decode(latents).sample
        length = round(batch.seconds * self.rate)
        return [Audio(clip[:, :length].float().cpu(), self.rate) for clip in samples]


@contextmanager
def _quiet() -> Iterator[None]:
    """No loading bars of the libraries below; they are over in a second and break up our own lines."""
    import diffusers.utils.logging as below
    import transformers.utils.logging as beneath

    below.disable_progress_bar()
    beneath.disable_progress_bar()
    try:
        yield
    finally:
        below.enable_progress_bar()
        beneath.enable_progress_bar()
