"""The contract of a model: where its layers are, how its rows are laid out, and how it samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from attrs import field, frozen

from tada_core.errors import SpecError, unknown
from tada_core.generation import Generation, Row, Settings
from tada_core.interventions import Intervention
from tada_core.sites import Layer

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tada_core.audio import Audio
    from tada_core.clip import Clip


@frozen
class Defaults:
    """What a generation that does not say otherwise uses: seconds, denoising steps, guidance, rows per batch."""

    seconds: float
    steps: int
    guidance: float
    batch: int = 8


@frozen
class Batch:
    """Rows that share one forward pass, settings resolved.

    Attributes:
        texts: full prompts, one per row.
        seeds: one per row.
        seconds, steps, guidance, lyrics: shared by all rows.
    """

    texts: tuple[str, ...]
    seeds: tuple[int, ...]
    seconds: float
    steps: int
    guidance: float
    lyrics: str = ""

    def generators(self) -> list[Any]:
        """One CPU random generator per row, so that a row's noise does not depend on its batch mates."""
        import torch

        return [torch.Generator().manual_seed(seed) for seed in self.seeds]


@frozen
class Call:
    """Where one call of the denoiser stands.

    Attributes:
        step, steps: position in the trajectory and its length.
        sigma: noise level (or timestep) of this call, as the model counts it.
        branches: rows of the call by branch ("cond", "uncond"), each a slice over the call's batch axis.
        extra: an extra pass made by the engine, at which interventions stay silent.
    """

    step: int
    steps: int
    sigma: float
    branches: Mapping[str, slice] = field(factory=dict)
    extra: bool = False


class ModelAdapter(ABC):
    """One text-to-music model behind the framework's contract.

    Class attributes:
        name: registry name.
        licence: of the weights.
        text_kwargs: names of the denoiser's keyword arguments that carry the text.
        sings: whether it reads lyrics.
        text_elsewhere: where else the text enters, besides the layers' cross-attention ("AdaLN of every block").
    """

    name: ClassVar[str]
    licence: ClassVar[str] = ""
    text_kwargs: ClassVar[tuple[str, ...]] = ("encoder_hidden_states",)
    sings: ClassVar[bool] = False
    text_elsewhere: ClassVar[str] = ""

    rate: int
    """Samples per second of the clips, in Hz."""
    defaults: Defaults
    """Settings of a generation that does not say otherwise."""
    layers: tuple[Layer, ...]
    """The text-fed cross-attention layers, in execution order."""

    @classmethod
    @abstractmethod
    def load(cls, source: str | None = None, **options: Any) -> Self:
        """Load from a folder or hub id (None: the model's own default).

        Raises:
            CheckpointError: the folder is unknown or incomplete; names the missing file.
        """

    @property
    @abstractmethod
    def denoiser(self) -> nn.Module:
        """The network that is called once or more per step."""

    @abstractmethod
    def parts(self) -> Mapping[str, nn.Module]:
        """Every network that a clip depends on, by name; their parameters are what identifies the model."""

    @property
    def options(self) -> Mapping[str, Any]:
        """What `load` was told that changes how clips sound, besides the weights, as JSON data."""
        return {}

    @abstractmethod
    def branches(self, guidance: float, steps: int) -> Mapping[str, range]:
        """The branches of a run, each with the calls of the trajectory at which it exists.

        Without classifier-free guidance {"cond": range(steps)}; a guidance interval shortens the range of "uncond". A
        solver of two calls a step has more calls than steps: the range of "cond" is the whole trajectory.
        """

    @abstractmethod
    def locate(self, args: Sequence[Any], kwargs: Mapping[str, Any], rows: int) -> Call:
        """Where a call of the denoiser with these arguments stands, for a batch of `rows` rows."""

    @abstractmethod
    def take(
        self, args: Sequence[Any], kwargs: Mapping[str, Any], places: Sequence[int]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A call's arguments for some rows of its batch axis only (extra passes run on these)."""

    @abstractmethod
    def sample(self, batch: Batch) -> Tensor:
        """Run the pipeline: final latents, [rows, ...]."""

    @abstractmethod
    def decode(self, latents: Tensor, batch: Batch) -> list[Audio]:
        """Latents to clips, one per row."""

    def tokens(self, text: str) -> int | None:
        """Tokens of a prompt that the layers read; None where every prompt is padded to one length."""
        return None

    def unread(self, text: str) -> str:
        """The end of a prompt that is not read because it is too long; "" where all of it is."""
        return ""

    def places(self, text: str, word: str) -> tuple[str, tuple[int, ...]]:
        """Where a word of a prompt is: the denoiser's text argument, and the places along its axis of tokens.

        Raises:
            SpecError: the word is not in the prompt, or this model cannot tell.
        """
        raise SpecError(f"'{self.name}' cannot tell the tokens of a word; use another method on this model")

    def batch_key(self, row: Row) -> Hashable:
        """Rows may share a forward pass when their keys are equal; settings must be equal in any case."""
        return None

    def resolve(self, settings: Settings) -> Settings:
        """Settings with the model's defaults filled in."""
        own = self.defaults
        return settings.over(Settings(own.seconds, own.steps, own.guidance))

    def batch(self, rows: Sequence[Row]) -> Batch:
        """Rows of equal settings as one batch."""
        own = self.resolve(rows[0].settings)
        assert own.seconds is not None and own.steps is not None and own.guidance is not None
        texts, seeds = tuple(row.text for row in rows), tuple(row.seed for row in rows)
        return Batch(texts, seeds, own.seconds, own.steps, own.guidance, own.lyrics)

    def layer(self, index: int) -> Layer:
        """The layer of that index.

        Raises:
            UnknownNameError: there is none.
        """
        if not 0 <= index < len(self.layers):
            span = f"'{self.name}' has layers 0 to {len(self.layers) - 1}"
            raise unknown("layer", index, (str(layer.index) for layer in self.layers), span)
        return self.layers[index]

    def pick(self, layers: Iterable[int] | None) -> tuple[int, ...]:
        """Layer indices checked and sorted; None means all.

        Raises:
            UnknownNameError: a layer that does not exist.
            SpecError: an empty choice.
        """
        if layers is None:
            return tuple(layer.index for layer in self.layers)
        chosen = tuple(sorted({self.layer(int(index)).index for index in layers}))
        if not chosen:
            raise SpecError("no layers chosen; pass at least one index, or None for all")
        return chosen

    def generate(
        self,
        generation: Generation,
        *interventions: Intervention | Iterable[Intervention],
        batch_size: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[Clip, ...]:
        """One clip per seed of `generation`, all under the same interventions; see `tada_core.run`."""
        from tada_core.engine.run import run

        return run(self, generation.rows(*interventions), batch_size=batch_size, progress=progress)
