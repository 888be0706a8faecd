"""Put a finished suite into the documents: its picture, its tables, where its concepts live.

tada bench etude-full --out tada-results/etude-full
python benchmarks/truth/suite.py tada-results/etude-full
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from places import fill

from tada_bench.page.build import read_impacts
from tada_bench.plan import Plan
from tada_bench.store.store import Store
from tada_bench.suite import Suite
from tada_core.localization.impact import Impact

DOCS: Final = Path(__file__).parents[2] / "docs"


def impact_table(impacts: Mapping[str, Impact]) -> str:
    """A row per concept: impact of every layer with its interval, and what the whole prompt swap did."""
    layers = next(iter(impacts.values())).layers
    lines = [f"| concept | {' | '.join(f'layer {layer}' for layer in layers)} | whole swap |"]
    lines.append("|---" * (len(layers) + 2) + "|")
    for name, impact in impacts.items():
        cells = [f"{row['impact']:.2f} [{row['low']:.2f}, {row['high']:.2f}]" for row in impact.table()]
        lines.append(f"| {name} | {' | '.join(cells)} | {impact.effect:.3g} |")
    return "\n".join(lines)


def main() -> None:
    """Print the tables; write them and the picture into docs/."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="results of `tada bench`, with their report")
    folder = parser.parse_args().folder
    store = Store.read(folder)
    suite, plan = Suite.load(folder / "suite.json"), Plan.load(folder / "plan.json")
    shutil.copyfile(folder / "report" / "overview.png", DOCS / "figures" / f"{suite.name}.png")
    tables = (folder / "report" / "tables.md").read_text(encoding="utf-8").strip()
    # In the documents they stand inside a section.
    scores = re.sub("^#", "##", tables, flags=re.MULTILINE)
    texts = {f"{suite.name} impact": impact_table(read_impacts(store, plan)), f"{suite.name} scores": scores}
    print("\n\n".join(texts.values()))
    if f"<!-- {suite.name} scores -->" in (DOCS / "benchmark.md").read_text(encoding="utf-8"):
        fill(DOCS / "benchmark.md", texts)


if __name__ == "__main__":
    main()
