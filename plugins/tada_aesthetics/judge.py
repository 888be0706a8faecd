"""Audiobox Aesthetics as tada uses it: a clip in, four scores out (Tjandra et al. 2025, arXiv 2502.05139)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from attrs import field, frozen

from tada_aesthetics.network import build
from tada_aesthetics.windows import windows
from tada_core.audio import Audio
from tada_core.errors import SpecError
from tada_core.resample import resample
from tada_core.weights import find_beside, find_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

HUB: Final = "facebook/audiobox-aesthetics"
AXES: Final = ("CE", "CU", "PC", "PQ")
RATE: Final = 16000
SECONDS: Final = 10
FILES: Final = ("model.safetensors", "checkpoint.pt")
REMEDY: Final = (
    "name a folder with config.json and model.safetensors, or the published checkpoint.pt, in the option `weights` or "
    f"in TADA_AESTHETICS, or download {HUB} (CC-BY-4.0) with `hf download`"
)


@frozen(eq=False)
class Judge:
    """The network, and what it has said.

    Attributes:
        network: windows {"wav", "mask"} to standardised scores {axis: [n]}, with its `target_transform` per axis.
        device: where the network is.
        known: scores [4] of clips already heard, by their content, so that a metric per axis costs one pass in all.
    """

    network: Any
    device: str = "cpu"
    known: dict[bytes, NDArray[np.float64]] = field(factory=dict, init=False, repr=False)

    def scores(self, clip: Audio) -> NDArray[np.float64]:
        """Scores [4] of a clip in the order of AXES, 1 to 10: means over windows, weighted by their length.

        Raises:
            SpecError: the clip is empty, or the network gives it a score that is not finite.
        """
        key = content(clip)
        if key not in self.known:
            self.known[key] = self._judge(clip)
        return self.known[key]

    def _judge(self, clip: Audio) -> NDArray[np.float64]:
        import torch

        cut = windows(resample(clip.mono(), clip.rate, RATE), RATE * SECONDS)
        with torch.inference_mode():
            found = self.network({"wav": cut.wav.to(self.device), "mask": cut.mask.to(self.device)})
        share = (cut.weight / cut.weight.sum()).double()
        scores = np.array([self._points(axis, float(found[axis].double().cpu() @ share)) for axis in AXES])
        if not np.isfinite(scores).all():
            raise SpecError(f"Audiobox Aesthetics gives a clip of {clip.seconds:.2f} s scores that are not finite")
        return scores

    def _points(self, axis: str, standardised: float) -> float:
        """A score on the listeners' scale."""
        transform: Mapping[str, float] = self.network.target_transform[axis]
        return transform["mean"] + transform["std"] * standardised


@lru_cache(maxsize=2)
def load(weights: str = HUB, checksum: str = "", device: str = "cpu") -> Judge:
    """The network with its weights, once per process.

    Args:
        weights: hub id, folder with config.json and model.safetensors, or the published checkpoint.pt.
        checksum: SHA-256 of the file of weights, or "".
        device: where it runs.

    Raises:
        CheckpointError: no such weights, another checksum, or weights of another shape.
        MissingExtraError: audiobox_aesthetics cannot be imported.
    """
    path = find_weights(weights, FILES, checksum, REMEDY)
    config = find_beside(path, weights, "config.json") if path.suffix == ".safetensors" else None
    return Judge(build(path, config).to(device), device)


def content(clip: Audio) -> bytes:
    """A key of what is heard: samples, channels and rate."""
    head = f"{clip.rate} {tuple(clip.samples.shape)}".encode()
    return hashlib.blake2b(head + clip.samples.contiguous().numpy().tobytes(), digest_size=16).digest()
