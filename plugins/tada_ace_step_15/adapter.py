"""ACE-Step 1.5 behind the adapter contract."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, ClassVar, Literal, Self

from torch import Tensor

from tada_core.adapter import Batch, Defaults
from tada_core.audio import Audio
from tada_core.generation import Row
from tada_core.pipelines import PipelineAdapter, stack
from tada_core.sites import Layer
from tada_core.tokens import count_tokens, unread, word_places

PEAK = 10.0 ** (-1.0 / 20.0)
"""Largest sample of a finished clip: -1 dB of full scale, as the pipeline leaves it."""


class AceStep15(PipelineAdapter):
    """ACE-Step 1.5: turbo checkpoints run without guidance, base ones with APG inside an interval of the trajectory."""

    name: ClassVar[str] = "ace-step-1.5"
    licence: ClassVar[str] = "MIT"
    sings: ClassVar[bool] = True
    pipeline: ClassVar[str] = "AceStepPipeline"
    source: ClassVar[str] = "ACE-Step/acestep-v15-xl-turbo-diffusers"
    order: ClassVar[tuple[Literal["cond", "uncond"], ...]] = ("cond", "uncond")
    batched: ClassVar[tuple[int | str, ...]] = (
        *("hidden_states", "timestep", "timestep_r"),
        *("encoder_hidden_states", "context_latents"),
    )
    most = 256
    """Tokens after which the pipeline cuts a prompt, whatever its tokenizer says."""
    shift: float = 3.0
    interval: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def load(
        cls,
        source: str | None = None,
        *,
        shift: float = 3.0,
        interval: tuple[float, float] = (0.0, 1.0),
        **options: Any,
    ) -> Self:
        """Load a turbo, base or SFT checkpoint in the layout of diffusers.

        Args:
            source: folder or hub id.
            shift: of the noise levels towards the start.
            interval: of 1 - noise level, inside which a base checkpoint is guided.
            options: `device`, `dtype`, `offload` and others, as for every pipeline.

        Raises:
            CheckpointError: the source is unknown or incomplete.
        """
        model = super().load(source, **options)
        model.shift, model.interval = shift, interval
        return model

    @property
    def options(self) -> Mapping[str, Any]:
        """How it samples."""
        return {"shift": self.shift, "interval": list(self.interval)}

    def find_layers(self) -> tuple[Layer, ...]:
        """Every block has one cross-attention; its context is lyrics, timbre and text in one sequence."""
        network = self.pipe.transformer
        return stack(network, "layers", "cross_attn", network.config.hidden_size)

    def find_defaults(self) -> Defaults:
        """Turbo checkpoints take few steps and no guidance."""
        turbo = self.pipe.is_turbo
        return Defaults(seconds=30.0, steps=8 if turbo else 50, guidance=1.0 if turbo else 7.0)

    def branches(self, guidance: float, steps: int) -> Mapping[str, range]:
        """The unconditional branch only on a guided base checkpoint, at the steps inside the interval."""
        start, end = self.interval
        levels = self.pipe._get_timestep_schedule(steps, self.shift).tolist()
        inside = [step for step, level in enumerate(levels) if start <= 1.0 - level <= end]
        if self.pipe.is_turbo or guidance <= 1.0 or not inside:
            return {"cond": range(steps)}
        return {"cond": range(steps), "uncond": range(inside[0], inside[-1] + 1)}

    def arguments(self, batch: Batch) -> dict[str, Any]:
        """Length, lyrics (none: an instrumental) and how to sample."""
        start, end = self.interval
        how = {"shift": self.shift, "cfg_interval_start": start, "cfg_interval_end": end}
        return {"audio_duration": batch.seconds, "lyrics": [batch.lyrics] * len(batch.texts), **how}

    def framed(self, text: str) -> str:
        """The prompt with the pipeline's own words around it."""
        whole, _ = self.pipe._format_prompt(text)
        return str(whole)

    def tokens(self, text: str) -> int:
        """Tokens of the whole prompt, the pipeline's own words around it included."""
        return count_tokens(self.pipe.tokenizer, self.framed(text), self.most)

    def unread(self, text: str) -> str:
        """What is behind the limit, the pipeline's own words included."""
        return unread(self.pipe.tokenizer, self.framed(text), self.most)

    def places(self, text: str, word: str) -> tuple[str, tuple[int, ...]]:
        """Places counted from the end of the context: the prompt is its last part, after lyrics and timbre."""
        found = word_places(self.pipe.tokenizer, self.framed(text), word, self.most)
        return self.text_kwargs[0], tuple(place - self.tokens(text) for place in found)

    def batch_key(self, row: Row) -> Hashable:
        """Tokens of the prompt: cross-attention has no mask and reads padding."""
        return self.tokens(row.text)

    def waveform(self, latents: Tensor) -> Tensor:
        """Latents [rows, frames, channels] through the decoder, which wants channels first."""
        return super().waveform(latents.transpose(1, 2))

    def audio(self, samples: Tensor) -> Audio:
        """The clip brought to one loudness, as the pipeline does; `gain` says by which factor."""
        gain = PEAK / max(float(samples.abs().max()), 1e-6)
        return Audio(samples * gain, self.rate, gain)
