"""The shared part of adapters whose model is a diffusers pipeline."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from tada_core.adapter import Batch, Call, Defaults, ModelAdapter
from tada_core.audio import Audio
from tada_core.errors import CheckpointError, SpecError
from tada_core.folder import check_folder
from tada_core.generation import Settings
from tada_core.loading import whole
from tada_core.sites import Layer
from tada_core.tokens import unread, word_places


class PipelineAdapter(ModelAdapter):
    """A diffusers pipeline.

    A subclass names the pipeline class, its layers, and how a batch becomes the pipeline's keyword arguments. Written
    for a denoiser that sees all branches of guidance in one batch; one that is called per branch overrides `locate`.

    Class attributes:
        pipeline: name of the class in diffusers.
        network: name of the denoiser among the pipeline's components.
        order: branches of a guided call, in batch order.
        batched: the denoiser's arguments that have the batch axis, by position or name.
        source: hub id or folder used when `load` is given none.
        together: clips that are decoded together; decoding takes far more memory than denoising.
    """

    pipeline: ClassVar[str]
    network: ClassVar[str] = "transformer"
    order: ClassVar[tuple[Literal["cond", "uncond"], ...]] = ("uncond", "cond")
    batched: ClassVar[tuple[int | str, ...]] = (0, "hidden_states", "encoder_hidden_states")
    source: ClassVar[str] = ""
    together: ClassVar[int] = 4

    def __init__(self, pipe: Any) -> None:
        self.pipe = pipe
        self.pipe.set_progress_bar_config(disable=True)
        self.rate = self.sample_rate()
        self.layers = self.find_layers()
        self.defaults = self.find_defaults()

    @classmethod
    def load(
        cls,
        source: str | None = None,
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        offload: bool = False,
        **options: Any,
    ) -> Self:
        """Load the pipeline from a folder or hub id (default: the model's own).

        Args:
            source: a folder written by `save_pretrained`, or a hub id.
            device: where it runs, for example "cuda" or "mps".
            dtype: of the parameters and latents.
            offload: keep the components on the CPU and only the one at work on `device`.
            options: passed on to the pipeline's `from_pretrained`.

        Raises:
            CheckpointError: the source does not exist or holds another pipeline, or a file or tensor of it is missing.
        """
        import diffusers

        where, kind = source or cls.source, getattr(diffusers, cls.pipeline)
        if Path(where).is_dir():
            check_folder(Path(where), kind)
        try:
            with whole():
                given = cls.components(where, dtype) | options
                pipe = kind.from_pretrained(where, dtype=dtype, **given)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"model '{cls.name}' cannot be loaded from '{where}': {error}") from error
        if offload:
            pipe.enable_model_cpu_offload(device=device)
        else:
            pipe.to(device)
        return cls(pipe)

    @classmethod
    def components(cls, where: str, dtype: torch.dtype) -> dict[str, Any]:
        """Components that the pipeline cannot load by itself."""
        return {}

    def sample_rate(self) -> int:
        """Samples per second of the clips: the decoder's."""
        return int(self.pipe.vae.config.sampling_rate)

    @abstractmethod
    def find_layers(self) -> tuple[Layer, ...]:
        """The layer table, read off the loaded network."""

    @abstractmethod
    def find_defaults(self) -> Defaults:
        """Settings of a generation that does not say otherwise."""

    def limit(self) -> float:
        """Seconds of the longest clip; pipelines cut what is longer without a word, or fail half way."""
        return inf

    @abstractmethod
    def arguments(self, batch: Batch) -> dict[str, Any]:
        """The pipeline's keyword arguments for a batch, without those every pipeline has."""

    def resolve(self, settings: Settings) -> Settings:
        """Settings with the model's defaults filled in.

        Raises:
            SpecError: a clip longer than the model makes.
        """
        own = super().resolve(settings)
        if (own.seconds or 0.0) > self.limit():
            raise SpecError(f"'{self.name}' makes at most {self.limit():g} s, not {own.seconds:g} s; set fewer seconds")
        return own

    @property
    def denoiser(self) -> nn.Module:
        """The pipeline's network."""
        network: nn.Module = getattr(self.pipe, self.network)
        return network

    def places(self, text: str, word: str) -> tuple[str, tuple[int, ...]]:
        """Tokens of a word in the pipeline's text, which begins with the prompt's."""
        return self.text_kwargs[0], word_places(self.pipe.tokenizer, text, word, self.most)

    def unread(self, text: str) -> str:
        """What is behind the pipeline's limit; nothing is known of one without a `tokenizer`."""
        return unread(self.pipe.tokenizer, text, self.most) if hasattr(self.pipe, "tokenizer") else ""

    @property
    def most(self) -> int:
        """Tokens after which the pipeline cuts a prompt."""
        return int(self.pipe.tokenizer.model_max_length)

    def parts(self) -> Mapping[str, nn.Module]:
        """The pipeline's components that are networks."""
        return {name: part for name, part in self.pipe.components.items() if isinstance(part, nn.Module)}

    def branches(self, guidance: float, steps: int) -> Mapping[str, range]:
        """All branches at every step above guidance 1, the conditional one alone at or below it."""
        return {branch: range(steps) for branch in (self.order if guidance > 1.0 else ("cond",))}

    def locate(self, args: Sequence[Any], kwargs: Mapping[str, Any], rows: int) -> Call:
        """Step and sigma from the scheduler (the timestep where it has none), branches from the rows of the call."""
        scheduler = self.pipe.scheduler
        hidden = args[0] if args else kwargs["hidden_states"]
        time = args[1] if len(args) > 1 else kwargs["timestep"]
        if hasattr(scheduler, "step_index"):
            step = scheduler.step_index or 0
        else:
            step = int((scheduler.timesteps == time.flatten()[0]).nonzero()[0])
        sigma = scheduler.sigmas[step] if hasattr(scheduler, "sigmas") else scheduler.timesteps[step]
        order = self.order if hidden.shape[0] == len(self.order) * rows else ("cond",)
        places: dict[str, slice] = {
            branch: slice(index * rows, (index + 1) * rows) for index, branch in enumerate(order)
        }
        return Call(step, len(scheduler.timesteps), float(sigma), places)

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
        """Final latents of the pipeline, [rows, ...]."""
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
        """Clips cut to the asked length, decoded a few at a time."""
        length = round(batch.seconds * self.rate)
        parts = [latents[start : start + self.together] for start in range(0, len(latents), self.together)]
        clips = [clip for part in parts for clip in self.waveform(part).float().cpu()]
        self.pipe.maybe_free_model_hooks()
        return [self.audio(clip[:, :length]) for clip in clips]

    def waveform(self, latents: Tensor) -> Tensor:
        """Latents through the pipeline's decoder, [rows, channels, samples]."""
        samples: Tensor = self.pipe.vae.decode(latents).sample
        return samples

    def audio(self, samples: Tensor) -> Audio:
        """One clip, float32 [channels, samples], as the model hands it out."""
        return Audio(samples, self.rate)


def stack(network: nn.Module, blocks: str, attention: str, width: int, **how: Any) -> tuple[Layer, ...]:
    """The layer table of a transformer: one layer per block, executed in order.

    Args:
        network: the denoiser.
        blocks: path of the list of blocks.
        attention: name of the cross-attention in each block.
        width: features of its output.
        how: the other attributes of `Layer`.
    """
    count = len(list(network.get_submodule(blocks).children()))
    return tuple(Layer(i, f"{blocks}.{i}.{attention}", f"{blocks}.{i}", width, **how) for i in range(count))
