"""Fit the instrument probe: a linear model of five timbres, on synthesised clips and on their decoder round trips.

python benchmarks/truth/instrument.py            # writes plugins/tada_probes/instrument.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from clips import Clips, decoder, round_trip, synthesise

from tada_probes.instrument import INSTRUMENTS, features

FIRST = 40_000_000
TARGET = Path(__file__).parents[2] / "plugins" / "tada_probes" / "instrument.json"
Array = npt.NDArray[np.float64]


def table(clips: Clips) -> Array:
    """Features [clips, F]."""
    return np.stack([features(clip.astype(np.float64)) for clip in clips])


def fit(inputs: Array, labels: npt.NDArray[np.int64], decay: float) -> tuple[Array, Array]:
    """Weights [F, 5] and bias [5] of a multinomial logistic regression with an L2 penalty on standardised features."""
    mean, deviation = inputs.mean(0), inputs.std(0) + 1e-9
    x, y = torch.from_numpy((inputs - mean) / deviation), torch.from_numpy(labels)
    weights = torch.zeros(inputs.shape[1], len(INSTRUMENTS), dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(len(INSTRUMENTS), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(x @ weights + bias, y) + decay * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    raw = weights.detach().numpy() / deviation[:, None]
    return raw, bias.detach().numpy() - mean @ raw


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=2000, help="synthesised clips; each is used as it is and decoded")
    parser.add_argument("--decay", type=float, default=1e-3, help="weight of the L2 penalty")
    parser.add_argument("--weights", type=Path, help="pipeline folder whose decoder to use (default: the shipped one)")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    torch.set_num_threads(1)
    attributes, clean = synthesise(options.clips, FIRST)
    labels = np.array([INSTRUMENTS.index(one.instrument) for one in attributes])
    inputs = np.concatenate([table(clean), table(round_trip(clean, decoder(options.weights)))])
    weights, bias = fit(inputs, np.concatenate([labels, labels]), options.decay)
    text = json.dumps({"weights": np.round(weights, 6).tolist(), "bias": np.round(bias, 6).tolist()})
    options.out.write_text(text + "\n", encoding="utf-8")
    right = float(((inputs @ weights + bias).argmax(1) == np.concatenate([labels, labels])).mean())
    print(f"{options.out}: {len(inputs)} clips, {right:.3f} of them right")


if __name__ == "__main__":
    main()
