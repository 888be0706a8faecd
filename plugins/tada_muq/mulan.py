"""MuQ-MuLan's two towers as tada uses them: a clip or a text in, one vector out (Zhu et al. 2025, arXiv 2501.01108)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from tada_core.audio import Audio
from tada_core.errors import CheckpointError
from tada_core.resample import resample
from tada_core.weights import find_beside, find_weights
from tada_muq.network import build
from tada_muq.tensors import fill
from tada_muq.windows import windows

if TYPE_CHECKING:
    from torch import Tensor

HUB: Final = "OpenMuQ/MuQ-MuLan-large"
RATE: Final = 24000
FILES: Final = ("model.safetensors", "pytorch_model.bin")
REMEDY: Final = (
    f"name a folder with config.json and one of them in the option `weights` or in TADA_MUQ, or download {HUB} "
    "(CC-BY-NC-4.0), OpenMuQ/MuQ-large-msd-iter and xlm-roberta-base with `hf download`"
)


@frozen(eq=False)
class MuLan:
    """The towers.

    Attributes:
        network: a muq.MuQMuLan, or anything with its `sr`, `clip_secs` and `mulan_module`.
        device: where the network is.
        texts: embeddings already made, by text.

    Raises:
        CheckpointError: the network does not run at 24 kHz, which its mel filters are fixed to.
    """

    network: Any
    device: str = "cpu"
    texts: dict[str, Tensor] = field(factory=dict, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        if self.network.sr != RATE:
            raise CheckpointError(f"config.json sets sr to {self.network.sr}, but MuQ-MuLan runs at {RATE} Hz")

    def audio(self, clip: Audio) -> Tensor:
        """Mean embedding [d] of a clip's windows, each of norm 1, the mean not brought back to it."""
        import torch

        samples = resample(clip.mono(), clip.rate, RATE)
        cut = windows(samples, RATE * int(self.network.clip_secs)).to(self.device)
        with torch.inference_mode():
            latents: Tensor = self.network.mulan_module.get_audio_latents(cut)
        return latents.mean(0).cpu()

    def text(self, text: str) -> Tensor:
        """Embedding [d] of norm 1 of one text, alone: in a batch its mean would run over the padding too."""
        import torch

        if text not in self.texts:
            with torch.inference_mode():
                self.texts[text] = self.network.mulan_module.get_text_latents(raw_texts=[text])[0].cpu()
        return self.texts[text]


@lru_cache(maxsize=2)
def load(weights: str = HUB, checksum: str = "", device: str = "cpu") -> MuLan:
    """The towers with their weights, once per process.

    Args:
        weights: folder or hub id with config.json and the weights, or the file of weights beside its config.json.
        checksum: SHA-256 of the file of weights, or "".
        device: where they run.

    Raises:
        CheckpointError: no such weights, another checksum, weights of another shape, or a tokeniser that is none.
        MissingExtraError: muq, or what it stands on, cannot be imported.
    """
    path = find_weights(weights, FILES, checksum, REMEDY)
    network = fill(build(find_beside(path, weights, "config.json")), path)
    return MuLan(network.to(device), device)
