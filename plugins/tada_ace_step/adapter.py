"""ACE-Step v1 behind the adapter contract."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import cattrs
import torch
from torch import Tensor, nn

from tada_ace_step.pipeline import AceStepPipeline, Options, hub_folder
from tada_ace_step.sampler import calls
from tada_ace_step.text import LENGTH
from tada_core.adapter import Batch, Call, Defaults, ModelAdapter
from tada_core.audio import Audio
from tada_core.errors import EngineError, SpecError
from tada_core.generation import Row, Settings
from tada_core.placement import Placement
from tada_core.sites import Layer
from tada_core.tokens import word_places

SOURCE = "ACE-Step/ACE-Step-v1-3.5B"


class AceStep(ModelAdapter):
    """ACE-Step v1: one call of the transformer per branch, the unconditional one only inside the guidance window."""

    name: ClassVar[str] = "ace-step"
    licence: ClassVar[str] = "Apache-2.0"
    sings: ClassVar[bool] = True
    text_kwargs: ClassVar[tuple[str, ...]] = ("encoder_hidden_states", "attention_mask")

    def __init__(self, pipe: AceStepPipeline, placement: Placement) -> None:
        self.pipe, self.placement = pipe, placement
        self.rate = pipe.rate
        self.defaults = Defaults(seconds=30.0, steps=30, guidance=5.0, batch=16)
        width = pipe.transformer.width
        self.layers = tuple(
            Layer(i, f"transformer_blocks.{i}.cross_attn", f"transformer_blocks.{i}", width)
            for i in range(len(pipe.transformer.transformer_blocks))
        )
        self.placement.settle(*self.parts().values())

    @classmethod
    def load(  # type: ignore[override]  # an option it does not know is Python's own error
        cls,
        source: str | None = None,
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        options: Options | Mapping[str, Any] = Options(),  # noqa: B008
        vocabulary: str | Path | None = None,
        offload: bool = False,
    ) -> Self:
        """Load the published layout from a folder or the hub.

        Args:
            source: folder or hub id; by default the published 3.5B checkpoint.
            device: where it runs.
            dtype: of the parameters; latents stay in float32 between steps.
            options: how to sample, as a value or as its JSON data; by default as upstream, but for the mean of the
                omega step.
            vocabulary: upstream's lyric vocabulary; by default lyric_vocab.json in the folder. Only lyrics need it.
            offload: keep the parts on the CPU and only the one at work on `device`.

        Raises:
            CheckpointError: the source or one of its files is missing.
            SpecError: an option that does not exist.
        """
        how = options if isinstance(options, Options) else read_options(options)
        folder = hub_folder(source or SOURCE)
        where = None if vocabulary is None else Path(vocabulary)
        return cls(AceStepPipeline.read(folder, dtype, how, where), Placement(device, offload))

    @property
    def denoiser(self) -> nn.Module:
        """The transformer."""
        return self.pipe.transformer

    def parts(self) -> Mapping[str, nn.Module]:
        """Text encoder, transformer, spectrogram decoder and vocoder."""
        pipe = self.pipe
        networks = {"text": pipe.text.network, "transformer": pipe.transformer}
        return networks | {"decoder": pipe.decoder, "vocoder": pipe.vocoder}

    @property
    def options(self) -> Mapping[str, Any]:
        """How it samples."""
        made: dict[str, Any] = cattrs.unstructure(self.pipe.options)
        return made

    def branches(self, guidance: float, steps: int) -> Mapping[str, range]:
        """The conditional branch at every call; the others inside the guidance window."""
        how, solver = self.pipe.options.guidance, self.pipe.options.solver
        window = how.window(steps)
        guided = how.branches(window.start, steps, guidance) if window else ("cond",)
        return {branch: range(calls(steps, solver)) if branch == "cond" else window for branch in guided}

    def resolve(self, settings: Settings) -> Settings:
        """Settings with the model's defaults filled in.

        Raises:
            CheckpointError: lyrics without the vocabulary.
            SpecError: lyrics that this adapter cannot read.
        """
        if settings.lyrics:
            self.pipe.lyrics.encode(settings.lyrics)
        return super().resolve(settings)

    def tokens(self, text: str) -> int:
        """Tokens of the prompt alone."""
        return self.pipe.text.tokens(text)

    def unread(self, text: str) -> str:
        """What is behind the 256 tokens of the prompt that are read."""
        return self.pipe.text.unread(text)

    def places(self, text: str, word: str) -> tuple[str, tuple[int, ...]]:
        """Places in the context, where a speaker token comes before the prompt."""
        found = word_places(self.pipe.text.tokenizer, text, word, LENGTH)
        return self.text_kwargs[0], tuple(place + 1 for place in found)

    def batch_key(self, row: Row) -> Hashable:
        """With lyrics, prompts of one length only: padding would move the lyrics' positions."""
        return self.tokens(row.text) if self.resolve(row.settings).lyrics else None

    def locate(self, args: Sequence[Any], kwargs: Mapping[str, Any], rows: int) -> Call:
        """What the sampler says of the running call.

        Raises:
            EngineError: the transformer was called by something else.
        """
        if self.pipe.now is None:
            raise EngineError("the transformer was called outside the sampler")
        return self.pipe.now

    def take(self, args: Sequence[Any], kwargs: Mapping[str, Any], places: Sequence[int]) -> tuple[Any, dict[str, Any]]:
        """The transformer's arguments for some rows; every tensor among them has the batch axis first."""
        index = list(places)

        def rows(value: Any) -> Any:
            return value[index] if isinstance(value, Tensor) else value

        return tuple(rows(value) for value in args), {name: rows(value) for name, value in kwargs.items()}

    def sample(self, batch: Batch) -> Tensor:
        """Final latents [rows, 8, 16, frames] in float32."""
        network, pipe = self.pipe.transformer, self.pipe
        shape = (network.channels, network.height, pipe.frames(batch.seconds))
        noise = torch.stack([torch.randn(shape, generator=one) for one in batch.generators()])
        with self.placement.at_work(network):
            with self.placement.at_work(pipe.text.network):
                branches = pipe.encode(batch.texts, batch.lyrics)
            return pipe.sample(noise.to(self.placement.device), branches, batch.steps, batch.guidance)

    def decode(self, latents: Tensor, batch: Batch) -> list[Audio]:
        """Stereo clips at 44.1 kHz, one after the other: decoding takes more memory than denoising."""
        device = self.placement.device
        with self.placement.at_work(self.pipe.decoder, self.pipe.vocoder):
            return [Audio(self.pipe.decode(one.to(device)).float().cpu(), self.rate) for one in latents]


def read_options(data: Mapping[str, Any]) -> Options:
    """Options from their JSON data.

    Raises:
        SpecError: an option that does not exist, or a value it cannot have.
    """
    try:
        return cattrs.Converter(forbid_extra_keys=True).structure(data, Options)
    except cattrs.BaseValidationError as error:
        raise SpecError(f"options of 'ace-step': {'; '.join(cattrs.transform_error(error, path='options'))}") from error
