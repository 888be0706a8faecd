"""Does every method move its concept, both ways? Every method on every concept of etude, judged by its ground truth.

python benchmarks/truth/methods.py                        # hours on two cores; goes on where it was stopped
python benchmarks/truth/methods.py --methods caa,pci --concepts tempo
python benchmarks/truth/methods.py --only-docs            # from benchmarks/truth/methods.json alone

An artefact is fitted on all layers. Strength is calibrated on all layers, on the two that localisation finds, and on
all but these; then the probe is measured at a positive and a negative dose, on prompts that nothing was fitted on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray
from places import fill

import tada_registry as tada
from tada_core import Artifact, Concept, Metric, ModelAdapter, Row, fit_together, run, with_seeds
from tada_core.contrastive import ContrastiveMethod
from tada_core.progress import bar
from tada_core.statistics import bootstrap

Array = NDArray[np.float64]
CONCEPTS: Final = ("tempo", "brightness", "drums", "register", "mode")
PLACES: Final = ("all", "local", "rest")
RESULTS: Final = Path(__file__).with_suffix(".json")
DOCS: Final = Path(__file__).parents[2] / "docs" / "truth.md"
DOSE: Final = 0.75
PROMPTS: Final = 12
CALIBRATED_ON: Final = 2

NEUTRAL: Final = {"tempo": "{p}, medium tempo", "brightness": "{p}, balanced tone", "register": "{p}, middle register"}
"""Concepts for which etude has words that say neither side."""

QUIET: Final = ("pairs", "iterations", "states", "rate", "eta")
"""Options that go without saying in the table."""

RELATIVE: Final = (0.1, 0.25, 0.5, 1.0, 2.0)
FACTOR: Final = (0.5, 1.0, 2.0, 4.0)


@frozen
class Variant:
    """A method with some options: a row of the table.

    Attributes:
        method, options: what is fitted.
        grid: positive strengths that calibration tries, in the method's first unit.
        places: where it acts.
        worded: the neutral template has words of its own where there are any.
    """

    method: str
    options: Mapping[str, Any] = {}
    grid: tuple[float, ...] = RELATIVE
    places: tuple[str, ...] = PLACES
    worded: bool = False

    @property
    def name(self) -> str:
        """What the table calls it."""
        said = [f"{key}={value}" for key, value in self.options.items() if key not in QUIET]
        return " ".join([self.method, *said, *(["worded"] if self.worded else [])])


PAIRS: Final = {"pairs": 16}
SLIDER: Final = (0.25, 0.5, 1.0, 2.0)
ORIGINAL: Final = {
    **{"iterations": 300, "states": 8, "rate": 1e-3, "eta": 4},
    **{"against": "negative", "reads": "neutral"},
}
"""Concept Sliders as first published, at a rate for a small model."""

VARIANTS: Final = (
    Variant("caa", PAIRS),
    Variant("casteer", PAIRS),
    Variant("casteer", {**PAIRS, "mode": "remove"}, (0.25, 0.5, 1.0, 2.0)),
    Variant("austeer", PAIRS),
    Variant("difference-in-means", PAIRS, (0.02, 0.05, 0.1, 0.2, 0.4)),
    Variant("sae", PAIRS),
    Variant("freesliders", {"start": 0.0}, (1.0, 2.0, 4.0, 8.0)),
    Variant("pci", {}, (0.25, 0.5, 0.75, 1.0)),
    Variant("concept-sliders", {"iterations": 300, "states": 8}, SLIDER),
    Variant("concept-sliders", ORIGINAL, SLIDER),
    Variant("text-embedding", {}, FACTOR, ("all",)),
    Variant("text-embedding", {}, FACTOR, ("all",), worded=True),
    Variant("token-embedding", {}, FACTOR, ("all",)),
    Variant("token-embedding", {}, FACTOR, ("all",), worded=True),
)


class Table:
    """Cells by key, kept in a file after every one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.cells: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def cell(self, key: str, make: Callable[[], Any]) -> Any:
        """The cell, made if it is not there."""
        if key not in self.cells:
            self.cells[key] = make()
            self._path.write_text(json.dumps(self.cells, indent=1) + "\n", encoding="utf-8")
        return self.cells[key]


def local(model: ModelAdapter, concept: Concept) -> list[int]:
    """The two layers of largest impact against the opposite prompt."""
    with bar(f"layers of {concept.name}") as progress:
        impact = tada.localize(model, concept, base="opposite", pairs=8, seeds=(0, 1), progress=progress)
    return list(impact.top(2))


def probed(model: ModelAdapter, metric: Metric, concept: Concept, rows: Sequence[Row], say: str) -> Array:
    """The concept's probe in the clip of every row."""
    with bar(say) as progress:
        return metric.score([clip.audio for clip in run(model, rows, progress=progress)], concept)


def rows(concept: Concept, template: str, edit: Any = ()) -> list[Row]:
    """The evaluation rows of one condition."""
    return [Row(prompt, seed, template, interventions=edit) for prompt, seed in with_seeds(evaluated(concept), (0,))]


def evaluated(concept: Concept) -> tuple[str, ...]:
    """The prompts to evaluate on."""
    return concept.evaluation[:PROMPTS]


def plain(model: ModelAdapter, metric: Metric, concept: Concept) -> dict[str, list[float]]:
    """The probe without steering, and with either whole prompt."""
    return {
        side: probed(model, metric, concept, rows(concept, concept.side(side)), f"{concept.name}, {side}").tolist()
        for side in ("neutral", "positive", "negative")
    }


def steered(model: ModelAdapter, metric: Metric, artifact: Artifact, variant: Variant) -> dict[str, Any]:
    """Strengths, doses and probes of a positive and a negative dose; the largest dose reached where DOSE never is."""
    with bar(f"dose of {variant.name} on {artifact.concept.name}") as progress:
        dosed = tada.calibrate(model, artifact, strengths=variant.grid, prompts=CALIBRATED_ON, progress=progress)
    assert dosed.dose is not None
    found: dict[str, Any] = {}
    for sign, side in ((1, "positive"), (-1, "negative")):
        dose = sign * min(DOSE, sign * dosed.dose.largest(sign))
        strength = dosed.dose.strength(dose)
        concept = artifact.concept
        edited = rows(concept, concept.neutral, artifact.at(strength, dosed.dose.unit))
        probes = probed(model, metric, concept, edited, f"{variant.name} {side} on {concept.name}")
        found[side] = {"strength": strength, "dose": dose, "probe": probes.tolist()}
    return found


@frozen
class Work:
    """One concept's part of the table."""

    table: Table
    model: ModelAdapter
    metric: Metric
    concept: Concept

    def keys(self, variant: Variant) -> dict[str, str]:
        """The cells of a variant by place; none where it has nothing of its own to say."""
        if variant.worded and self.concept.name not in NEUTRAL:
            return {}
        return {place: f"{self.concept.name} | {variant.name} | {place}" for place in variant.places}

    def own(self, variant: Variant) -> Concept:
        """The concept with the neutral template of a variant."""
        return evolve(self.concept, neutral=NEUTRAL[self.concept.name]) if variant.worded else self.concept

    def missing(self, variants: Iterable[Variant]) -> list[Variant]:
        """Variants with a cell that is not there."""
        return [one for one in variants if any(key not in self.table.cells for key in self.keys(one).values())]

    def fill(self, variants: Sequence[Variant]) -> None:
        """Make every cell that is missing; methods that read the same clips are fitted on them together."""
        name, every = self.concept.name, self.model.pick(None)
        chosen = self.table.cell(f"{name} | layers", lambda: local(self.model, self.concept))
        layers = {"all": every, "local": chosen, "rest": [layer for layer in every if layer not in chosen]}
        todo = self.missing(variants)
        methods = {one.name: tada.get_method(one.method, **one.options) for one in todo}
        alike = [one for one in todo if isinstance(methods[one.name], ContrastiveMethod) and not one.worded]
        fitted: dict[str, Artifact] = {}
        if alike:
            with bar(f"fitting {len(alike)} methods to {name}") as progress:
                pairs = [(methods[one.name], None) for one in alike]
                made = fit_together(pairs, self.model, self.concept, progress=progress)
            fitted = {one.name: artifact for one, artifact in zip(alike, made, strict=True)}
        for variant in todo:
            own, kind = self.own(variant), "worded" if variant.worded else "bare"
            self.table.cell(f"{name} | {kind} | plain", lambda own=own: plain(self.model, self.metric, own))
            if variant.name not in fitted:
                with bar(f"fitting {variant.name} to {name}") as progress:
                    fitted[variant.name] = methods[variant.name].fit(self.model, own, progress=progress)
            for place, key in self.keys(variant).items():
                artifact = fitted[variant.name] if place == "all" else fitted[variant.name].on(layers[place])
                self.table.cell(key, lambda one=artifact, v=variant: steered(self.model, self.metric, one, v))
                print(key, line(self.table, name, variant, place), flush=True)


def effect(table: Table, concept: str, variant: Variant, place: str, side: str) -> tuple[float, float, float] | None:
    """Change of the probe with its interval, 1 being half the way between the two whole prompts; None: refused."""
    cell = table.cells.get(f"{concept} | {variant.name} | {place}", {})
    if side not in cell:
        return None
    swaps = table.cells[f"{concept} | {'worded' if variant.worded else 'bare'} | plain"]
    half = (np.mean(swaps["positive"]) - np.mean(swaps["negative"])) / 2
    change = (np.array(cell[side]["probe"]) - np.array(swaps["neutral"])) / half
    low, high = bootstrap(lambda p, _: np.asarray(change[p].mean()), len(change), 1)
    return float(change.mean()), float(low), float(high)


def line(table: Table, concept: str, variant: Variant, place: str) -> str:
    """Both effects of a cell in words; in bold where the interval lies on the right side of zero."""
    sides = [
        (side, sign, effect(table, concept, variant, place, side)) for side, sign in (("positive", 1), ("negative", -1))
    ]
    return " / ".join(_number(table, concept, variant, place, *side) for side in sides)


def _number(
    table: Table,
    concept: str,
    variant: Variant,
    place: str,
    side: str,
    sign: int,
    found: tuple[float, float, float] | None,
) -> str:
    if found is None:
        return "refused"
    value, low, high = found
    dose = abs(table.cells[f"{concept} | {variant.name} | {place}"][side]["dose"])
    right = low > 0 if sign > 0 else high < 0
    text = f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"
    return (f"**{text}**" if right else text) + (f" ({dose:.2f})" if dose < DOSE - 1e-6 else "")


def markdown(table: Table, variants: Sequence[Variant], concepts: Sequence[str]) -> dict[str, str]:
    """A table per place, by the name of its place in the documents; and one that counts."""
    texts = {}
    for place in PLACES:
        those = [variant for variant in variants if place in variant.places]
        head = f"| method | {' | '.join(concepts)} |\n|---{'|---' * len(concepts)}|"
        body = [
            f"| `{variant.name}` | {' | '.join(shown(table, name, variant, place) for name in concepts)} |"
            for variant in those
        ]
        texts[f"truth {place}"] = "\n".join([head, *body])
    return texts


def shown(table: Table, concept: str, variant: Variant, place: str) -> str:
    """A cell of the document's table."""
    return line(table, concept, variant, place) if f"{concept} | {variant.name} | {place}" in table.cells else ""


def main() -> None:
    """Make what is missing, print, write into docs/."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="", help="only these, separated by commas")
    parser.add_argument("--concepts", default=",".join(CONCEPTS))
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--only-docs", action="store_true", help="write the tables of what there is")
    options = parser.parse_args()
    concepts, chosen = options.concepts.split(","), set(filter(None, options.methods.split(",")))
    variants = [variant for variant in VARIANTS if not chosen or variant.method in chosen]
    table = Table(options.out)
    if not options.only_docs:
        model, metric = tada.load_model("etude"), tada.get_metric("probes")
        for name in concepts:
            Work(table, model, metric, tada.get_concept(name)).fill(variants)
    texts = markdown(table, VARIANTS, CONCEPTS)
    print("\n\n".join(texts.values()))
    if DOCS.exists():
        fill(DOCS, texts)


if __name__ == "__main__":
    main()
