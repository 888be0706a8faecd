"""Which change is heard on which preservation axis: synthesised clips against themselves with one attribute changed.

python benchmarks/truth/axes.py --update-docs      # prints the table and puts it into docs/metrics.md; ten minutes
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import torch
from attrs import evolve
from places import fill

from tada_core import Generation
from tada_core.audio import Audio
from tada_core.metric import Metric
from tada_etude.adapter import Etude
from tada_etude.synth import INSTRUMENTS, MODES, RATE, Attributes, caption, render
from tada_mir.harmony import Harmony
from tada_mir.loudness import Loudness
from tada_mir.melody import Melody
from tada_mir.rhythm import Rhythm
from tada_mir.structure import Structure
from tada_preservation.metric import SpectralDistance

FIRST: Final = 30_000_000
"""Seed of the first clip: far from those of etude's training and of the probes."""

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "metrics.md"
METRICS: Final = (Harmony(), Rhythm(), Melody(), Structure(), Loudness(), SpectralDistance())
CHANGES: Final[Mapping[str, Callable[[Attributes], Attributes]]] = {
    "key from C to D": lambda one: evolve(one, key="D"),
    "major and minor swapped": lambda one: evolve(one, mode=next(mode for mode in MODES if mode != one.mode)),
    "an octave or so up": lambda one: evolve(one, register="high"),
    "tempo from 100 to 105": lambda one: evolve(one, bpm=105.0),
    "tempo from 100 to 130": lambda one: evolve(one, bpm=130.0),
    "brighter": lambda one: evolve(one, brightness="bright"),
    "next instrument": lambda one: evolve(
        one, instrument=INSTRUMENTS[(INSTRUMENTS.index(one.instrument) + 1) % len(INSTRUMENTS)]
    ),
    "drums left out": lambda one: evolve(one, drums=False),
    "other melody and chords": lambda one: evolve(one, seed=one.seed + 1_000_000),
}


def drawn(count: int) -> list[Attributes]:
    """Clips with drums at 100 beats a minute in C, in turns of every instrument, major and minor."""
    return [
        Attributes(
            drums=True, bpm=100.0, instrument=INSTRUMENTS[i % len(INSTRUMENTS)], mode=MODES[i % 2], seed=FIRST + i
        )
        for i in range(count)
    ]


def sounded(attributes: list[Attributes]) -> list[Audio]:
    """The synthesised clips."""
    return [Audio(torch.from_numpy(render(one))[None], RATE) for one in attributes]


def seeds(attributes: list[Attributes]) -> tuple[list[Audio], list[Audio]]:
    """Etude's clips of the captions, of two seeds."""
    model = Etude.load()
    pairs = [model.generate(Generation(caption(one, one.seed), seeds=(0, 1))) for one in attributes]
    return [pair[0].audio for pair in pairs], [pair[1].audio for pair in pairs]


def line(name: str, clips: list[Audio], references: list[Audio], metrics: tuple[Metric, ...] = METRICS) -> str:
    """A row of the table: the mean over clips of every axis."""
    return f"| {name} | {' | '.join(f'{metric.score(clips, references).mean():.2f}' for metric in metrics)} |"


def table(count: int) -> str:
    """One line per change."""
    before = drawn(count)
    references = sounded(before)
    lines = [f"| change | {' | '.join(metric.name for metric in METRICS)} |", "|---" * (len(METRICS) + 1) + "|"]
    lines += [line(name, sounded([change(one) for one in before]), references) for name, change in CHANGES.items()]
    lines.append(line("half the amplitude", [Audio(one.samples / 2, one.rate) for one in references], references))
    lines.append(line("two seeds of one prompt, generated", *seeds(before)))
    return "\n".join(lines)


def main() -> None:
    """Synthesise, change, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--update-docs", action="store_true", help=f"write the table into {DOCUMENT.name}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = table(options.clips)
    print(found)
    if options.update_docs:
        fill(DOCUMENT, {"axes": found})


if __name__ == "__main__":
    main()
