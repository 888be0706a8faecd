"""How well the probes find what was synthesised: ROC AUC between opposite classes, and five-way instrument accuracy.

python benchmarks/truth/probes.py --update-docs      # prints the tables and puts them into docs/probes.md
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from clips import Clips, decoder, measured, round_trip, synthesise
from places import fill
from roc import auc, interval

from tada_etude.synth import RATE, Attributes
from tada_probes.instrument import INSTRUMENTS, classify
from tada_probes.probe import PROBES

FIRST: Final = 20_000_000
"""Seed of the first clip: far from those of etude's training and of the instrument probe's."""

SIDES: Final = {
    "tempo": ("fast", "slow"),
    "brightness": ("bright", "dark"),
    "register": ("high", "low"),
    "drums": (True, False),
    "mode": ("major", "minor"),
}
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "probes.md"
Array = npt.NDArray[np.float64]


def cell(values: Array, labels: Array, sides: tuple[object, object], where: Array) -> str:
    """AUC of `values` between two labels among the clips `where`, with its interval and the number of clips."""
    above, below = (values[where & (labels == side)] for side in sides)
    low, high = interval(above, below)
    return f"{auc(above, below):.3f} [{low:.3f}, {high:.3f}] n={len(above) + len(below)}"


def concept_table(attributes: list[Attributes], versions: dict[str, Clips]) -> str:
    """One line per concept: AUC with and without drums for every version of the clips, medians of the two classes."""
    drums = np.array([one.drums for one in attributes])
    heads = [f"{version}, {which} drums" for version in versions for which in ("with", "without")]
    lines = [f"| concept | {' | '.join(heads)} | medians |", "|---" * (len(heads) + 2) + "|"]
    for name, sides in SIDES.items():
        labels = np.array([getattr(one, name) for one in attributes], dtype=object)
        cells = []
        for clips in versions.values():
            values = measured(clips, PROBES[name].measure, RATE)
            groups = (np.full(len(drums), True),) if name == "drums" else (drums, ~drums)
            found = [cell(values, labels, sides, group) for group in groups]
            cells += found + ["as left"] * (2 - len(found))
            high, low = (float(np.median(values[labels == side])) for side in sides)
        middle = f"{high:.4g} / {low:.4g} {PROBES[name].unit}"
        lines.append(f"| {name} ({_words(sides)}) | {' | '.join(cells)} | {middle} |")
    return "\n".join(lines)


def _words(sides: tuple[object, object]) -> str:
    return "with / without" if sides[0] is True else f"{sides[0]} / {sides[1]}"


def instrument_table(attributes: list[Attributes], versions: dict[str, Clips]) -> str:
    """One line per version of the clips: share of clips whose instrument is named right, in all and per instrument."""
    truth = np.array([one.instrument for one in attributes])
    lines = [f"| clips | all | {' | '.join(INSTRUMENTS)} |", "|---" * (len(INSTRUMENTS) + 2) + "|"]
    for version, clips in versions.items():
        right = np.array([classify(clip.astype(np.float64), RATE) for clip in clips]) == truth
        shares = [f"{right[truth == name].mean():.3f}" for name in INSTRUMENTS]
        lines.append(f"| {version} (n={len(right)}) | {right.mean():.3f} | {' | '.join(shares)} |")
    return "\n".join(lines)


def main() -> None:
    """Synthesise, decode, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=600)
    parser.add_argument("--weights", type=Path, help="pipeline folder whose decoder to use (default: the shipped one)")
    parser.add_argument("--update-docs", action="store_true", help=f"write the tables into {DOCUMENT.name}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    attributes, clean = synthesise(options.clips, FIRST)
    versions = {"synthesised": clean, "decoded": round_trip(clean, decoder(options.weights))}
    tables = {
        "concepts": concept_table(attributes, versions),
        "instruments": instrument_table(attributes, versions),
    }
    print("\n\n".join(tables.values()))
    if options.update_docs:
        fill(DOCUMENT, tables)


if __name__ == "__main__":
    main()
