"""How well etude obeys its prompts: ROC AUC of probes between opposite prompts, instruments named right, speed, peaks.

python benchmarks/truth/etude.py --update-docs      # prints the table, writes benchmarks/truth/etude.json and the card
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from clips import Clips, measured
from diffusers import StableAudioPipeline
from places import fill
from roc import auc, interval

import tada_etude.decoder
import tada_etude.scheduler  # noqa: F401
from tada_etude.synth import RATE, SAMPLES
from tada_probes.instrument import INSTRUMENTS, classify
from tada_probes.probe import PROBES

BATCH: Final = 8
STEPS: Final = 16
GUIDANCE: Final = 4.0

PROMPTS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("brightness", "brightness", "a bright tune", "a dark tune"),
    ("register", "register", "a tune in a high register", "a tune in a low register"),
    ("drums", "drums", "a tune with drums", "a tune without drums"),
    ("tempo, with drums", "tempo", "a fast tune with drums", "a slow tune with drums"),
    ("tempo, without drums", "tempo", "a fast tune without drums", "a slow tune without drums"),
    ("mode", "mode", "a tune in a major key", "a tune in a minor key"),
)
"""Row of the table, probe, prompt that should score high, prompt that should score low."""

WEIGHTS: Final = Path(str(files("tada_etude") / "weights"))
RESULTS: Final = Path(__file__).with_suffix(".json")


def generate(pipe: Any, prompt: str, seeds: range) -> Clips:
    """Clips [seeds, samples] of one prompt, one generator each, BATCH at a time."""
    parts = []
    for first in range(0, len(seeds), BATCH):
        generators = [torch.Generator().manual_seed(seed) for seed in seeds[first : first + BATCH]]
        audios = pipe(
            [prompt] * len(generators),
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            audio_end_in_s=SAMPLES / RATE,
            generator=generators,
        ).audios
        parts.append(audios[:, 0].numpy())
    return np.concatenate(parts)


def concept(pipe: Any, probe: str, prompts: tuple[str, str], seeds: range) -> tuple[dict[str, Any], list[Clips]]:
    """AUC of a probe between two prompts from the same seeds, its interval and medians; and the clips."""
    clips = [generate(pipe, prompt, seeds) for prompt in prompts]
    high, low = (measured(side, PROBES[probe].measure, RATE) for side in clips)
    row = {
        "prompts": prompts,
        "auc": auc(high, low),
        "interval": interval(high, low),
        "medians": [float(np.median(high)), float(np.median(low))],
        "unit": PROBES[probe].unit,
    }
    return row, clips


def instrument(pipe: Any, name: str, seeds: range) -> tuple[float, Clips]:
    """Share of the clips of "a <name> tune" in which the probe names that instrument; and the clips."""
    clips = generate(pipe, f"a {name} tune", seeds)
    return float(np.mean([classify(clip.astype(np.float64), RATE) == name for clip in clips])), clips


def blemishes(clips: Clips) -> dict[str, float]:
    """Largest absolute sample, largest jump between neighbours, largest absolute first or last sample, mean offset."""
    return {
        "peak": float(np.abs(clips).max()),
        "jump": float(np.abs(np.diff(clips)).max()),
        "ends": float(np.abs(clips[:, (0, -1)]).max()),
        "offset": float(np.abs(clips.mean(1)).max()),
    }


def measure(weights: Path, count: int, first: int) -> dict[str, Any]:
    """Everything the table shows, for a pipeline folder."""
    pipe = StableAudioPipeline.from_pretrained(weights)
    pipe.set_progress_bar_config(disable=True)
    seeds = range(first, first + count)
    generate(pipe, "warm up", range(BATCH))
    started, made = time.perf_counter(), []
    generate(pipe, "some music", range(BATCH))
    seconds = (time.perf_counter() - started) / BATCH
    concepts: dict[str, Any] = {}
    for row, probe, high, low in PROMPTS:
        concepts[row], clips = concept(pipe, probe, (high, low), seeds)
        made += clips
        print(f"{row}: {concepts[row]['auc']:.3f}", flush=True)
    shares: dict[str, float] = {}
    for name in INSTRUMENTS:
        shares[name], clip = instrument(pipe, name, seeds)
        made.append(clip)
        print(f"{name}: {shares[name]:.3f}", flush=True)
    return {
        "clips_a_side": count,
        "steps": STEPS,
        "guidance": GUIDANCE,
        "threads": torch.get_num_threads(),
        "seconds_a_clip": seconds,
        "concepts": concepts,
        "instruments": shares,
        "audio": blemishes(np.concatenate(made)),
    }


def table(found: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = ["| concept | prompts | ROC AUC [95 %] | medians |", "|---|---|---|---|"]
    for name, row in found["concepts"].items():
        low, high = row["interval"]
        medians = " / ".join(f"{value:.4g}" for value in row["medians"])
        prompts = " / ".join(row["prompts"])
        lines.append(f"| {name} | {prompts} | {row['auc']:.3f} [{low:.3f}, {high:.3f}] | {medians} {row['unit']} |")
    shares = ", ".join(f"{name} {share:.2f}" for name, share in found["instruments"].items())
    mean = float(np.mean(list(found["instruments"].values())))
    lines.append(f"| instrument, five-way | a ... tune | {mean:.3f} named right | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Generate, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=32, help="clips a side")
    parser.add_argument("--first", type=int, default=1000, help="first seed")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="pipeline folder")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--update-docs", action="store_true", help="write the table into the card of the weights")
    options = parser.parse_args()
    found = measure(options.weights, options.clips, options.first)
    options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(table(found))
    print(found["audio"], f"{found['seconds_a_clip']:.2f} s a clip at batch {BATCH}")
    if options.update_docs:
        fill(options.weights / "README.md", {"figures": table(found)})


if __name__ == "__main__":
    main()
