"""Record what package muq gives, on a small MuQ-MuLan of its real classes with weights drawn by name.

    python -m benchmarks.golden.muq        # needs muq==0.1.0 and transformers==4.57.6, with which muq runs unchanged

Writes tests/golden/muq/: windows that it cuts, text and audio embeddings, similarities, and the states of one conformer
encoder, which tada's repair for transformers 5 must give again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import muq_small  # noqa: E402

from benchmarks.golden import standins  # noqa: E402

LENGTHS = (3, 5, 9, 10, 11, 14, 20, 25)
SAMPLES = {"short": 96000, "one": 240000, "two": 300000}


def windows(network: Any) -> dict[str, Any]:
    """Windows of ramps, with a window of 10 samples, so that each is a row of indices."""
    rate, network.sr, seconds, network.clip_secs = network.sr, 10, network.clip_secs, 1
    cut = {str(length): network._get_all_clips(torch.arange(length)).tolist() for length in LENGTHS}
    network.sr, network.clip_secs = rate, seconds
    return cut


def embeddings(network: Any) -> dict[str, torch.Tensor]:
    """The network's own answers."""
    clips = [network(wavs=muq_small.clip(size, seed)[None])[0] for seed, size in enumerate(SAMPLES.values())]
    texts = [network(texts=[text])[0] for text in muq_small.TEXTS]
    audio, text = torch.stack(clips), torch.stack(texts)
    together = network(texts=list(muq_small.TEXTS))
    return {"audio": audio, "text": text, "similarity": network.calc_similarity(audio, text), "batched_text": together}


def states() -> dict[str, torch.Tensor]:
    """States of one encoder, the config a plain mapping as in muq."""
    from transformers.models.wav2vec2_conformer.modeling_wav2vec2_conformer import Wav2Vec2ConformerEncoder

    encoder = muq_small.fill(Wav2Vec2ConformerEncoder(muq_small.Plain(muq_small.CONFORMER)))
    found = encoder(muq_small.drawn("input", (2, 20, 32)), output_hidden_states=True)["hidden_states"]
    return {f"state.{index}": state for index, state in enumerate(found)}


def main() -> None:
    """Record."""
    standins.install()
    import transformers
    from safetensors.torch import save_file

    out = ROOT / "tests" / "golden" / "muq"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        network = muq_small.build(muq_small.save(Path(folder)))
        tensors = {**embeddings(network), **states()}
        cut = windows(network)
    save_file({name: tensor.contiguous().clone() for name, tensor in tensors.items()}, out / "numbers.safetensors")
    about = {"muq": "0.1.0", "transformers": transformers.__version__, "torch": torch.__version__, "windows": cut}
    (out / "about.json").write_text(json.dumps({**about, "samples": SAMPLES}, indent=1) + "\n")


if __name__ == "__main__":
    main()
