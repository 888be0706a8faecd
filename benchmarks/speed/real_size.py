"""Seconds and memory of models of published size, with our engine and without it; meant for a GPU.

python benchmarks/speed/real_size.py ace-step --device cuda --dtype bfloat16 --rows 1 8 16
python benchmarks/speed/real_size.py stable-audio-open --device cuda --dtype float16 --rows 1 8
python benchmarks/speed/real_size.py musicgen-large --device cuda --dtype float16 --rows 1 8 --seconds 10

Weights are random, nothing is downloaded. Each line is the best of a few rounds: a run of the plain pipeline, then of
the engine with 0, 1, 2 and all layers steered, each row by another strength.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from published import MODELS

from tada_core import AddVector, ModelAdapter, Row, Settings, Site, TensorRef
from tada_core.engine.run import sample


def steered(model: ModelAdapter, settings: Settings, rows: int, layers: int) -> list[Row]:
    """Rows that push the first `layers` layers, each by another strength."""
    ones = [(Site("out", layer.index), TensorRef.of(torch.ones(layer.width))) for layer in model.layers[:layers]]
    return [
        Row(
            "a calm tune",
            seed,
            settings=settings,
            interventions=tuple(AddVector(*one, 0.01 * (seed + 1)) for one in ones),
        )
        for seed in range(rows)
    ]


def measured(work: Callable[[], Any], device: str, rounds: int) -> tuple[float, float | None]:
    """Seconds of the fastest round, and the largest memory in GiB where the device tells."""
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return min(seconds), torch.cuda.max_memory_allocated() / 2**30 if cuda else None


def lines(model: ModelAdapter, settings: Settings, rows: int, device: str, rounds: int) -> Iterator[dict[str, Any]]:
    """One line per way to run: seconds, clips per second, ratio to the plain pipeline, memory."""
    batch = model.batch(steered(model, settings, rows, 0))
    works: dict[str, Callable[[], Any]] = {"plain": lambda: model.sample(batch)}
    for name, layers in (("0", 0), ("1", 1), ("2", 2), ("all", len(model.layers))):
        wanted = steered(model, settings, rows, layers)
        works[name] = lambda wanted=wanted: sample(model, wanted, range(rows), None)
    latents = model.sample(batch)
    works["decoder"] = lambda: model.decode(latents, batch)
    plain = 0.0
    for name, work in works.items():
        seconds, memory = measured(work, device, rounds)
        plain = plain or seconds
        ratio = None if name == "decoder" else round(seconds / plain, 3)
        yield {"rows": rows, "layers": name, "seconds": seconds, "ratio": ratio, "peak_gib": memory}


def main() -> None:
    """Print a line per number of rows and way to run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 8, 16])
    parser.add_argument("--seconds", type=float, help="length of a clip")
    parser.add_argument("--steps", type=int, help="denoising steps")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    model = MODELS[given.model](given.device, getattr(torch, given.dtype))
    settings = model.resolve(Settings(seconds=given.seconds, steps=given.steps))
    parameters = sum(one.numel() for part in model.parts().values() for one in part.parameters())
    print(
        json.dumps(
            {"model": given.model, "parameters": parameters, "seconds": settings.seconds, "steps": settings.steps}
        )
    )
    for rows in given.rows:
        for line in lines(model, settings, rows, given.device, given.rounds):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
