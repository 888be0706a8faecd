"""Record what package audiobox_aesthetics gives, on a small network of its real class with weights drawn by name.

    python -m benchmarks.golden.aesthetics        # needs audiobox_aesthetics==0.0.4

Writes tests/golden/aesthetics/numbers.json: the four scores of clips through the library's own predictor, which
resamples, cuts, masks and averages; and the windows, masks and weights that it makes.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import aesthetics_small  # noqa: E402

from benchmarks.golden import standins  # noqa: E402

CLIPS = ({"samples": 32000, "rate": 16000}, {"samples": 160000, "rate": 16000}, {"samples": 540000, "rate": 44100})
LENGTHS = (1, 7, 10, 11, 20, 25)


def predictor(network: Any) -> Any:
    """The library's predictor around a network, without its download."""
    from audiobox_aesthetics.infer import AXES_NAME, AesPredictor
    from audiobox_aesthetics.model.aes import Normalize

    made = AesPredictor.__new__(AesPredictor)
    made.model, made.device, made.data_col, made.sample_rate = network, torch.device("cpu"), "path", 16000
    made.target_transform = {axis: Normalize(**network.target_transform[axis]) for axis in AXES_NAME}
    return made


def cut(length: int) -> dict[str, Any]:
    """Windows of a ramp at one sample a second, so that each is a row of indices from 1."""
    from audiobox_aesthetics.infer import make_inference_batch

    wavs, masks, weights, _ = make_inference_batch([torch.arange(1.0, length + 1)[None]], sample_rate=1)
    return {"wavs": torch.stack(wavs).tolist(), "masks": torch.stack(masks).tolist(), "weights": weights}


def main() -> None:
    """Record."""
    standins.install()
    library = predictor(aesthetics_small.build())
    given: list[dict[str, Any]] = []
    for seed, one in enumerate(CLIPS):
        wave = aesthetics_small.clip(one["samples"], one["rate"], seed)
        given.append({"path": torch.stack([wave, 0.5 * wave]), "sample_rate": one["rate"]})
    scores = [library.forward([one])[0] for one in given]
    found = {"clips": CLIPS, "scores": scores, "windows": {str(length): cut(length) for length in LENGTHS}}
    about = {"audiobox_aesthetics": version("audiobox_aesthetics"), "torch": torch.__version__}
    out = ROOT / "tests" / "golden" / "aesthetics"
    out.mkdir(parents=True, exist_ok=True)
    (out / "numbers.json").write_text(json.dumps({**about, **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
