"""The whole model: prompts and lyrics to a context, noise to latents, latents to stereo audio."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from attrs import field, frozen, validators
from torch import Tensor, nn

from tada_ace_step.checkpoint import read_module
from tada_ace_step.guidance import Guidance, Guide
from tada_ace_step.lyrics import VOCABULARY, LyricTokenizer
from tada_ace_step.sampler import SOLVERS, Mean, calls, sigmas
from tada_ace_step.text import GAIN, TextEncoder
from tada_ace_step.transformer import UNUSED, AceStepTransformer
from tada_ace_step.vocoder import UNUSED as UNUSED_VOCODER
from tada_ace_step.vocoder import MusicVocoder, fold_weight_norm
from tada_core.adapter import Call
from tada_core.errors import CheckpointError
from tada_core.folder import require_files
from tada_core.loading import whole

Context = tuple[Tensor, Tensor]
"""States [rows, tokens, width] and mask [rows, tokens]."""

SCALE, OFFSET = 0.1786, -1.9091
"""latents = (z - OFFSET) * SCALE, z what the decoder reads."""

MEL_LOW, MEL_HIGH = -11.0, 3.0
"""Range of the log-mel that the decoder gives as -1 to 1."""

FRAMES = 8
"""Mel frames per latent frame."""

FOLDERS = ("ace_step_transformer", "music_dcae_f8c8", "music_vocoder", "umt5-base")

PARTS = (
    *((name, "diffusers", "ModelMixin") for name in FOLDERS[:3]),
    *((FOLDERS[3], "transformers", kind) for kind in ("UMT5EncoderModel", "T5Tokenizer")),
)
"""Each folder with the library and class that say which files it needs."""


@frozen
class Options:
    """How to sample, under upstream's defaults but for `mean`.

    Attributes:
        guidance: how branches are combined, and when.
        solver: "euler" or "heun".
        omega: strength of upstream's change of the step; 0 for a plain one.
        mean: what the omega step leaves alone: each row's mean, or as upstream the whole batch's.
    """

    guidance: Guidance = field(factory=Guidance)
    solver: str = field(default="euler", validator=validators.in_(tuple(SOLVERS)))
    omega: float = 10.0
    mean: Mean = field(default="row", validator=validators.in_(("row", "batch")))


class AceStepPipeline:
    """ACE-Step v1's parts under one roof; `now` says where the running call of the transformer stands."""

    def __init__(
        self,
        text: TextEncoder,
        transformer: AceStepTransformer,
        decoder: nn.Module,
        vocoder: MusicVocoder,
        vocabulary: Path,
        options: Options,
    ) -> None:
        self.text, self.transformer, self.decoder, self.vocoder = text, transformer, decoder, vocoder
        self.vocabulary, self.options = vocabulary, options
        self.now: Call | None = None

    @classmethod
    def read(cls, folder: Path, dtype: torch.dtype, options: Options, vocabulary: Path | None) -> AceStepPipeline:
        """Load the published layout.

        Raises:
            CheckpointError: a folder, a file or a parameter is missing.
        """
        from diffusers import AutoencoderDC
        from transformers import AutoTokenizer, UMT5EncoderModel

        for name, library, kind in PARTS:
            require_files(folder, name, library, kind)
        transformer, dcae, vocoder, umt5 = (folder / name for name in FOLDERS)
        try:
            with whole():
                decoder = AutoencoderDC.from_pretrained(dcae, torch_dtype=dtype).decoder.eval()
                encoder = UMT5EncoderModel.from_pretrained(umt5, dtype=dtype)
                text = TextEncoder(AutoTokenizer.from_pretrained(umt5), encoder)
        except (OSError, ValueError) as error:
            raise CheckpointError(f"'{folder}' is incomplete: {error}") from error
        return cls(
            text,
            read_module(AceStepTransformer, transformer, dtype, UNUSED),
            decoder,
            read_module(MusicVocoder, vocoder, dtype, UNUSED_VOCODER, fold_weight_norm),
            vocabulary or folder / VOCABULARY,
            options,
        )

    @property
    def rate(self) -> int:
        """Samples per second."""
        return self.vocoder.rate

    @cached_property
    def lyrics(self) -> LyricTokenizer:
        """The lyric tokenizer, read when lyrics are first sung.

        Raises:
            CheckpointError: its vocabulary is missing.
        """
        return LyricTokenizer(self.vocabulary)

    def frames(self, seconds: float) -> int:
        """Latent frames of a duration, rounded down."""
        return int(seconds * self.rate / self.vocoder.hop / FRAMES)

    def lyric_ids(self, lyrics: str, rows: int) -> tuple[Tensor, Tensor]:
        """Ids and mask, both [rows, tokens]; no lyrics is one token 0 with mask 0."""
        ids = self.lyrics.encode(lyrics) if lyrics else [0]
        both = torch.tensor([ids, [int(bool(lyrics))] * len(ids)], device=self.text.network.device)
        return both[0].expand(rows, -1), both[1].expand(rows, -1)

    @torch.no_grad()
    def encode(self, texts: Sequence[str], lyrics: str = "") -> dict[str, Context]:
        """The context of every branch for prompts sung to the same lyrics."""
        text, mask = self.text.encode(texts)
        ids, lyric_mask = self.lyric_ids(lyrics, len(texts))
        how = self.options.guidance
        weak = self.text.encode(texts, weaken=True)[0] if how.erg_text and how.erg_lyric else None
        speaker = text.new_zeros(len(texts), self.transformer.speaker_embedder.in_features)
        return contexts(self.transformer, text, mask, speaker, ids, lyric_mask, how, weak)

    @torch.no_grad()
    def sample(self, noise: Tensor, branches: dict[str, Context], steps: int, scale: float) -> Tensor:
        """Final latents of noise, both [rows, channels, height, frames] in float32."""
        options, total = self.options, calls(steps, self.options.solver)
        guide = Guide(options.guidance, scale, steps)
        weaken = GAIN if options.guidance.erg_diffusion else 1.0
        dtype = next(self.transformer.parameters()).dtype

        def velocity(x: Tensor, call: int, sigma: float) -> Tensor:
            made: dict[str, Tensor] = {}
            for branch in guide.branches(call):
                self.now = Call(call, total, sigma, {branch: slice(0, len(x))})
                states, mask = branches[branch]
                made[branch] = self.transformer(
                    x.to(dtype),
                    x.new_full((len(x),), 1000.0 * sigma),
                    encoder_hidden_states=states,
                    attention_mask=mask,
                    query_gain=weaken if branch == "uncond" else 1.0,
                ).float()
            return guide.combine(call, made)

        return SOLVERS[options.solver](noise, sigmas(steps), velocity, options.omega, options.mean)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Stereo samples [2, samples] of one clip's latents [channels, height, frames]."""
        mel = self.decode_mel(latents.to(next(self.decoder.parameters()).dtype)[None])[0]
        return torch.cat([self.vocoder(side[None])[0] for side in mel])

    def decode_mel(self, latents: Tensor) -> Tensor:
        """Log-mel [clips, 2, bins, frames] of latents [clips, channels, height, frames]."""
        decoded: Tensor = self.decoder(latents / SCALE + OFFSET)
        return (decoded * 0.5 + 0.5) * (MEL_HIGH - MEL_LOW) + MEL_LOW


def contexts(
    transformer: AceStepTransformer,
    text: Tensor,
    mask: Tensor,
    speaker: Tensor,
    lyrics: Tensor,
    lyric_mask: Tensor,
    how: Guidance,
    weak: Tensor | None = None,
) -> dict[str, Context]:
    """The context of every branch; all have the conditional mask.

    The null context has no text and no speaker, and no lyrics either, unless lyrics are weakened instead; then the text
    is what `weak` gives. See `AceStepTransformer.encode` for the shapes.
    """
    silence, nobody, nothing = torch.zeros_like(text), torch.zeros_like(speaker), torch.zeros_like(lyrics)
    made = {"cond": transformer.encode(text, mask, speaker, lyrics, lyric_mask)}
    if how.erg_lyric:
        faint = silence if weak is None else weak
        made["uncond"] = transformer.encode(faint, mask, nobody, lyrics, lyric_mask, GAIN)
    else:
        made["uncond"] = transformer.encode(silence, mask, nobody, nothing, lyric_mask)
    if how.double:
        made["text"] = transformer.encode(text, mask, nobody, nothing, lyric_mask)
    return {branch: (states, made["cond"][1]) for branch, (states, _) in made.items()}


def hub_folder(source: str) -> Path:
    """The local folder of a source: itself, or a snapshot of a hub repository.

    Raises:
        CheckpointError: it is neither.
    """
    if Path(source).is_dir():
        return Path(source)
    from huggingface_hub import snapshot_download

    try:
        patterns: Any = [f"{name}/*" for name in FOLDERS] + [VOCABULARY]
        return Path(snapshot_download(source, allow_patterns=patterns))
    except Exception as error:
        raise CheckpointError(
            f"'{source}' is neither a folder nor a hub repository that can be read: {error}"
        ) from error
