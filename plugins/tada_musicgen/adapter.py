"""MusicGen behind the adapter contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from tada_core.adapter import Batch, Call, Defaults, ModelAdapter
from tada_core.audio import Audio
from tada_core.errors import CheckpointError, SpecError
from tada_core.folder import require_files
from tada_core.generation import Settings
from tada_core.loading import whole
from tada_core.pipelines import stack
from tada_core.placement import Placement
from tada_core.tokens import word_places
from tada_musicgen.draw import draw
from tada_musicgen.network import NextToken

SOURCE = "facebook/musicgen-small"

LONGEST = 30.0
"""Seconds of the training clips; the published checkpoints fall apart beyond."""


class MusicGen(ModelAdapter):
    """MusicGen: a step is one position of the code sequence, both branches in one batch; latents are codes.

    Its clips' steps follow from their seconds: positions = seconds x frames per second, and a few for the delay between
    codebooks.
    """

    name: ClassVar[str] = "musicgen"
    licence: ClassVar[str] = "CC-BY-NC-4.0"
    text_kwargs: ClassVar[tuple[str, ...]] = ("encoder_hidden_states", "encoder_attention_mask")

    def __init__(self, model: Any, tokenizer: Any, placement: Placement, top_k: int, temperature: float) -> None:
        self.model, self.tokenizer, self.placement = model.eval(), tokenizer, placement
        self.top_k, self.temperature = top_k, temperature
        self.network = NextToken(model.decoder)
        self.rate = int(model.config.audio_encoder.sampling_rate)
        self.channels = int(model.config.decoder.audio_channels)
        self.books = int(model.config.decoder.num_codebooks)
        texts = ("key_value_states", "attention_mask")
        names = {"q": "q_proj", "k": "k_proj", "v": "v_proj"}
        width = int(model.config.decoder.hidden_size)
        self.layers = stack(self.network, "decoder.layers", "encoder_attn", width, text_args=texts, **names)
        seconds = 10.0
        self.defaults = Defaults(seconds, self.positions(seconds), guidance=3.0)
        placement.settle(model)

    @classmethod
    def load(  # type: ignore[override]  # an option it does not know is Python's own error
        cls,
        source: str | None = None,
        *,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        offload: bool = False,
        top_k: int = 250,
        temperature: float = 1.0,
    ) -> Self:
        """Load from a folder written by `save_pretrained`, or a hub id.

        Args:
            source: by default the small mono model.
            device: where it runs, for example "cuda" or "mps".
            dtype: of the parameters.
            offload: keep the parts on the CPU and only the one at work on `device`.
            top_k, temperature: of the draw; the defaults are those of the MusicGen paper (arXiv 2306.05284, sect. 3).

        Raises:
            CheckpointError: the source does not exist or holds another model, or a file or tensor of it is missing.
            SpecError: `top_k` below 1 or `temperature` not above 0.
        """
        from transformers import AutoTokenizer, MusicgenForConditionalGeneration

        if top_k < 1 or temperature <= 0:
            raise SpecError(f"top_k must be at least 1 and temperature above 0, not {top_k} and {temperature}")
        where = source or SOURCE
        if Path(where).is_dir():
            check(Path(where))
        try:
            with whole():
                tokenizer = AutoTokenizer.from_pretrained(where)
                model = MusicgenForConditionalGeneration.from_pretrained(where, dtype=dtype, use_safetensors=True)
        except (OSError, ValueError, KeyError) as error:
            raise CheckpointError(f"model '{cls.name}' cannot be loaded from '{where}': {error}") from error
        return cls(model, tokenizer, Placement(device, offload), top_k, temperature)

    @property
    def denoiser(self) -> nn.Module:
        """The decoder, called once per position."""
        return self.network

    def parts(self) -> Mapping[str, nn.Module]:
        """Text encoder, decoder and EnCodec, in one module."""
        return {"model": self.model}

    @property
    def options(self) -> Mapping[str, Any]:
        """How codes are drawn."""
        return {"top_k": self.top_k, "temperature": self.temperature}

    @property
    def delay(self) -> int:
        """Positions between the first codebook and the last; stereo has a set of codebooks for each side."""
        return self.books // self.channels - 1

    def frames(self, seconds: float) -> int:
        """Code frames of a duration."""
        return round(seconds * float(self.model.config.audio_encoder.frame_rate))

    def positions(self, seconds: float) -> int:
        """Positions that are drawn for a clip: one per frame, and the delay."""
        return self.frames(seconds) + self.delay

    def resolve(self, settings: Settings) -> Settings:
        """Settings with the model's defaults filled in; steps follow from seconds.

        Raises:
            SpecError: other steps than that, or a clip that is too long or too short.
        """
        own = settings.over(Settings(self.defaults.seconds, guidance=self.defaults.guidance))
        assert own.seconds is not None
        if own.seconds > LONGEST or self.frames(own.seconds) <= self.delay:
            shortest = (self.delay + 1) / self.model.config.audio_encoder.frame_rate
            raise SpecError(f"'{self.name}' makes {shortest:g} to {LONGEST:g} s, not {own.seconds:g} s")
        steps = self.positions(own.seconds)
        if own.steps not in (None, steps):
            raise SpecError(
                f"'{self.name}' draws one position after the other: {own.seconds:g} s are {steps} steps, not "
                f"{own.steps}; set seconds and leave steps out"
            )
        return own.over(Settings(steps=steps))

    def tokens(self, text: str) -> int:
        """T5 tokens."""
        ids: list[int] = self.tokenizer(text).input_ids
        return len(ids)

    def places(self, text: str, word: str) -> tuple[str, tuple[int, ...]]:
        """T5 tokens of the word."""
        return self.text_kwargs[0], word_places(self.tokenizer, text, word, most=10**6)

    def branches(self, guidance: float, steps: int) -> Mapping[str, range]:
        """Both branches at every position above guidance 1, the conditional one alone at or below it."""
        return {branch: range(steps) for branch in (("cond", "uncond") if guidance > 1.0 else ("cond",))}

    def locate(self, args: Sequence[Any], kwargs: Mapping[str, Any], rows: int) -> Call:
        """Where in the sequence a call stands; its noise level is the share of the clip still to come."""
        codes, total = kwargs["codes"], kwargs["memory"].total
        step = codes.shape[-1] - 1
        order = ("cond", "uncond")[: len(codes) // rows]
        places = {branch: slice(index * rows, (index + 1) * rows) for index, branch in enumerate(order)}
        return Call(step, total, 1.0 - step / total, places)

    def take(self, args: Sequence[Any], kwargs: Mapping[str, Any], places: Sequence[int]) -> tuple[Any, dict[str, Any]]:
        """The call's arguments for some rows, which read the whole sequence again: its memory is of other text."""
        index = list(places)
        picked = {name: value[index] for name, value in kwargs.items() if isinstance(value, Tensor)}
        return (), picked | {"memory": Memory(kwargs["memory"].total)}

    @torch.no_grad()
    def sample(self, batch: Batch) -> Tensor:
        """Codes [rows, codebooks, frames]."""
        text, mask = self.encode(batch.texts)
        if batch.guidance > 1.0:
            text, mask = (torch.cat([value, torch.zeros_like(value)]) for value in (text, mask))
        with self.placement.at_work(self.network):
            ids = self.draw_all(text, mask, batch)
        return self.undelay(ids)

    def encode(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Text [rows, tokens, width] as the decoder reads it, zero where it is padding, and its mask [rows, tokens]."""
        tokens = self.tokenizer(list(texts), return_tensors="pt", padding=True).to(self.placement.device)
        with self.placement.at_work(self.model.text_encoder):
            states = self.model.text_encoder(**tokens).last_hidden_state
        if hasattr(self.model, "enc_to_dec_proj"):
            with self.placement.at_work(self.model.enc_to_dec_proj):
                states = self.model.enc_to_dec_proj(states)
        mask: Tensor = tokens.attention_mask
        return states * mask[..., None], mask

    def draw_all(self, text: Tensor, mask: Tensor, batch: Batch) -> Tensor:
        """Delayed codes [rows, codebooks, positions + 1], the first position being the start token."""
        rows, generators, language_model = len(batch.texts), batch.generators(), self.model.decoder
        pad = language_model.config.pad_token_id
        start = torch.full((rows * self.books, 1), pad, device=self.placement.device)
        _, pattern = language_model.build_delay_pattern_mask(start, pad, batch.steps + 1)
        pattern, ids = (one.view(rows, self.books, -1) for one in (pattern, start))
        memory = Memory(batch.steps)
        for position in range(1, batch.steps + 1):
            codes = torch.cat([ids] * (len(text) // rows))
            logits: Tensor = self.network(
                codes=codes, encoder_hidden_states=text, encoder_attention_mask=mask, memory=memory
            )
            if len(logits) > rows:
                cond, uncond = logits.chunk(2)
                logits = uncond + batch.guidance * (cond - uncond)
            drawn = draw(logits, generators, self.top_k, self.temperature)
            fixed = pattern[..., position]
            ids = torch.cat([ids, torch.where(fixed == -1, drawn, fixed)[..., None]], dim=-1)
        return ids

    def undelay(self, ids: Tensor) -> Tensor:
        """Codes [rows, codebooks, frames] of delayed ones, both sides of a stereo codebook delayed alike."""
        frames = ids.shape[-1] - 1 - self.delay
        starts = (1 + book // self.channels for book in range(self.books))
        return torch.stack([ids[:, book, start : start + frames] for book, start in enumerate(starts)], dim=1)

    @torch.no_grad()
    def decode(self, latents: Tensor, batch: Batch) -> list[Audio]:
        """Clips through EnCodec, one after the other, each side of a stereo clip by itself."""
        length = round(batch.seconds * self.rate)
        with self.placement.at_work(self.model.audio_encoder):
            clips = [torch.cat(list(self.sides(codes)))[:, :length] for codes in latents.to(self.placement.device)]
        return [Audio(clip.float().cpu(), self.rate) for clip in clips]

    def sides(self, codes: Tensor) -> Iterator[Tensor]:
        """Samples [1, samples] of each side of a clip."""
        for side in range(self.channels):
            part = codes[None, None, side :: self.channels]
            yield self.model.audio_encoder.decode(part, audio_scales=[None]).audio_values[0]


class Memory(DynamicCache):  # type: ignore[misc]  # transformers says nothing of its types
    """Keys and values of the positions so far, of `total` to come."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.total = total


def check(folder: Path) -> None:
    """Refuse a folder that holds another model, or only a part of one.

    Raises:
        CheckpointError: names the missing file, or the model that is there instead.
    """
    for kind in ("MusicgenForConditionalGeneration", "T5Tokenizer"):
        require_files(folder, "", "transformers", kind)
    found = json.loads((folder / "config.json").read_text()).get("model_type")
    if found != "musicgen":
        raise CheckpointError(f"'{folder}' holds a {found}, not a musicgen; load it with the model of that name")
