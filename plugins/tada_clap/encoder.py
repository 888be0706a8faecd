"""The network behind the metrics: a clip passes through it once, whoever asks for what it gives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from tada_clap import checkpoint, words
from tada_clap.network import build
from tada_clap.shelf import Shelf
from tada_clap.spectrum import RATE, cut, spectra
from tada_core.errors import CheckpointError, SpecError
from tada_core.resample import resample

if TYPE_CHECKING:
    from tada_core.audio import Audio

Heard = tuple[Tensor, ...]
"""Embedding [windows, width], then what each stage gives [windows, tokens, channels]; on the CPU."""
GIGABYTE: Final = 1e9


class Encoder:
    """CLAP, with what it heard lately.

    Attributes:
        passes: windows that went through the audio network so far.
    """

    def __init__(self, network: Any, tokenizer: str, device: str, batch: int, memory: float) -> None:
        self.network, self.source, self.device, self.batch = network.to(device), tokenizer, device, batch
        self.stages, self.embeddings = Shelf(memory * GIGABYTE), Shelf(GIGABYTE)
        self.texts: dict[str, Tensor] = {}
        self.passes = 0

    def listen(self, clips: Sequence[Audio]) -> list[Tensor]:
        """Embeddings [windows, width] of each clip, of unit length.

        Raises:
            SpecError: a clip is empty.
        """
        return [heard[0] for heard in self._hear(clips, self.embeddings, slice(1))]

    def look(self, clips: Sequence[Audio]) -> list[Heard]:
        """What the four stages of HTSAT give for each clip, each [windows, tokens, channels], after patch merging.

        Raises:
            SpecError: a clip is empty.
        """
        return self._hear(clips, self.stages, slice(1, None))

    def read(self, text: str) -> Tensor:
        """Embedding [width] of a text as it stands, of unit length.

        Raises:
            CheckpointError: the tokenizer cannot be read, or is not the network's.
        """
        if text not in self.texts:
            ids = torch.tensor([words.tokens(self.tokenizer, text)], device=self.device)
            with torch.inference_mode():
                found = self.network.text_projection(self.network.text_model(input_ids=ids).pooler_output)
            self.texts[text] = functional.normalize(found[0], dim=0).cpu()
        return self.texts[text]

    @cached_property
    def tokenizer(self) -> Any:
        """Read when a text is: the distances need none."""
        made, limit = words.load(self.source), self.network.config.text_config.vocab_size
        if len(made) > limit:
            raise CheckpointError(f"the tokenizer has {len(made)} tokens and the network {limit}; {words.REMEDY}")
        return made

    def _hear(self, clips: Sequence[Audio], shelf: Shelf, part: slice) -> list[Heard]:
        keys = [_key(clip) for clip in clips]
        found = {key: held for key in keys if (held := shelf.get(key))}
        for key, heard in self._run({key: clip for key, clip in zip(keys, clips, strict=True) if key not in found}):
            self.embeddings.put(key, heard[:1])
            self.stages.put(key, heard[1:])
            found[key] = heard[part]
        return [found[key] for key in keys]

    def _run(self, clips: Mapping[bytes, Audio]) -> Iterator[tuple[bytes, Heard]]:
        """What is heard in each clip; windows of all clips share batches."""
        if not clips:
            return
        cuts = [cut(resample(clip.mono(), clip.rate, RATE)) for clip in clips.values()]
        parts = [self._pass(part) for part in torch.split(torch.cat(cuts), self.batch)]
        sizes = [len(windows) for windows in cuts]
        columns = [torch.split(torch.cat(column), sizes) for column in zip(*parts, strict=True)]
        for key, *heard in zip(clips, *columns, strict=True):
            # Copies, so that a clip that is kept does not keep the others.
            yield key, tuple(tensor.clone() for tensor in heard)

    @torch.inference_mode()
    def _pass(self, windows: Tensor) -> Heard:
        self.passes += len(windows)
        given = spectra(windows.to(self.device))
        found = self.network.audio_model(input_features=given, output_hidden_states=True)
        embedding = functional.normalize(self.network.audio_projection(found.pooler_output), dim=-1)
        # The first of the states is the patch embedding; a stage's picture [channels, height, width] is its tokens.
        stages = (state.flatten(2).transpose(1, 2).cpu() for state in found.hidden_states[1:])
        return embedding.cpu(), *stages


def _key(clip: Audio) -> bytes:
    if clip.samples.numel() == 0:
        raise SpecError("an empty clip cannot be heard")
    return hashlib.blake2b(clip.mono().numpy().tobytes(), digest_size=16, salt=clip.rate.to_bytes(8)).digest()


@lru_cache(maxsize=2)
def encoder(weights: str, checksum: str, tokenizer: str, device: str, batch: int, memory: float) -> Encoder:
    """The encoder of these settings (see `tada_clap.listening`), one object in a process for all who ask for the same.

    Raises:
        CheckpointError: the weights are not to be had, damaged, or another network's.
    """
    path, where = checkpoint.find(weights, checksum), device or ("cuda" if torch.cuda.is_available() else "cpu")
    return Encoder(build(checkpoint.read(path), str(path)), tokenizer, where, batch, memory)
