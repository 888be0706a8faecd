"""The plan of a run: every clip a suite asks for, by identity, and the cells in which the missing ones are made."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, field, frozen

from tada_bench.arm import Arm
from tada_bench.identity import Fingerprint, identity
from tada_bench.reach import steering
from tada_bench.store.cell import Cell
from tada_bench.store.files import write_json
from tada_bench.suite import Suite
from tada_core.concept import Concept
from tada_core.dose import DoseScale
from tada_core.errors import StoreError
from tada_core.generation import Row, seed_at

if TYPE_CHECKING:
    from tada_core.artifact import Artifact


@frozen
class Point:
    """One clip in its place in the comparison; `seed` is the suite's, `seed_at` makes the clip's own out of it."""

    concept: str
    arm: str
    prompt: str
    seed: int
    strength: float
    identity: str


@frozen
class Plan:
    """Every point, and what a reader of the results must know beside them.

    Attributes:
        points: in the order of suite, concept by concept and arm by arm.
        rows: what to generate for every identity; not stored here, it stands beside the clips.
        about: model, versions, units, layers of every arm and key of every impact, plain JSON data.
    """

    points: tuple[Point, ...]
    rows: Mapping[str, Row] = field(factory=dict, eq=False, repr=False)
    about: Mapping[str, Any] = field(factory=dict)

    def strengths(self, concept: str, arm: str) -> tuple[float, ...]:
        """The signed strengths of an arm on a concept, rising."""
        return tuple(sorted({p.strength for p in self.points if (p.concept, p.arm) == (concept, arm)}))

    def dose(self, concept: str, arm: str) -> DoseScale | None:
        """The dose scale of an arm whose strengths were placed, dose 1 being the cut-off; None of any other."""
        heads = ((head["concept"], head["arm"], head.get("dose")) for head in self.about["arms"])
        found = next((dose for *at, dose in heads if at == [concept, arm]), None)
        return None if found is None else DoseScale(**found)

    def save(self, path: Path) -> None:
        """Write points and about as JSON."""
        write_json(path, {**self.about, "points": [list(asdict(point).values()) for point in self.points]})

    @classmethod
    def load(cls, path: Path) -> Plan:
        """Read what `save` wrote, without rows.

        Raises:
            StoreError: missing or damaged.
        """
        try:
            about = json.loads(path.read_text())
            return cls(tuple(Point(*point) for point in about.pop("points")), about=about)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"cannot read {path}: {error!r}; run `tada bench` on this folder first") from error


def expand(
    suite: Suite,
    concepts: Mapping[str, Concept],
    artifacts: Mapping[tuple[str, str], Artifact],
    model: Fingerprint,
    strengths: Mapping[tuple[str, str], Sequence[float]],
) -> tuple[tuple[Point, ...], dict[str, Row]]:
    """Points and rows of every arm that has an artefact and strengths, all by (concept, arm name)."""
    points, rows = list[Point](), dict[str, Row]()
    wanted = [(concept, arm) for concept in suite.concepts for arm in suite.steered(concept)]
    for concept, arm in wanted:
        if (concept, arm.name) in artifacts.keys() & strengths.keys():
            own = artifacts[concept, arm.name], strengths[concept, arm.name]
            more = sweep(suite, concepts[concept], arm, *own, model)
            points += more[0]
            rows |= more[1]
    return tuple(points), rows


def sweep(
    suite: Suite,
    concept: Concept,
    arm: Arm,
    artifact: Artifact,
    strengths: Sequence[float],
    model: Fingerprint,
) -> tuple[list[Point], dict[str, Row]]:
    """Points and rows of one arm on one concept."""
    points, rows = [], {}
    steer = {strength: steering(artifact, strength, arm.unit) if strength else () for strength in strengths}
    for plain, seed in _plain(suite, concept, model):
        for strength in strengths:
            row = evolve(plain, interventions=steer[strength])
            key = identity(row, model)
            rows[key] = row
            points.append(Point(concept.name, arm.name, row.prompt, seed, strength, key))
    return points, rows


def _plain(suite: Suite, concept: Concept, model: Fingerprint) -> Iterator[tuple[Row, int]]:
    """The unsteered rows of a concept, each with the suite's seed."""
    settings = evolve(suite.settings, lyrics=concept.lyrics).over(model.defaults)
    for (place, prompt), seed in itertools.product(enumerate(concept.evaluation[: suite.prompts]), suite.seeds):
        yield Row(prompt, seed_at(seed, place), concept.neutral, settings), seed


def first_cell(suite: Suite, concept: Concept, model: Fingerprint, batch: int) -> Cell:
    """The cell that `cells` gives first where nothing is done and `concept` is the suite's first."""
    rows = {identity(row, model): row for row, _ in _plain(suite, concept, model)}
    return Cell(_unsteered(concept.name), next(_parts(rows, batch)))


def by_sweep(point: Point) -> str:
    """One cell per prompt and seed: what a listener compares is made in one batch."""
    return f"{point.concept}, {point.arm}, '{point.prompt}', seed {point.seed}"


def by_arm(point: Point) -> str:
    """Prompts and seeds together: where there are few strengths, batches are full all the same."""
    return f"{point.concept}, {point.arm}"


def cells(plan: Plan, done: AbstractSet[str], batch: int, label: Callable[[Point], str] = by_sweep) -> list[Cell]:
    """What is missing, as cells of at most `batch`: unsteered clips first, then steered ones of one label.

    A clip belongs to the first point that asks for it, so that an interrupted run goes on with the very cells of an
    uninterrupted one.
    """
    groups: dict[str, dict[str, Row]] = {}
    claimed = set(done)
    for point in sorted(plan.points, key=lambda point: point.strength != 0):
        if point.identity not in claimed:
            claimed.add(point.identity)
            group = label(point) if point.strength else _unsteered(point.concept)
            groups.setdefault(group, {})[point.identity] = plan.rows[point.identity]
    return [Cell(group, part) for group, rows in groups.items() for part in _parts(rows, batch)]


def _unsteered(concept: str) -> str:
    return f"{concept}, unsteered"


def _parts(rows: Mapping[str, Row], size: int) -> Iterator[dict[str, Row]]:
    items = list(rows.items())
    for start in range(0, len(items), size):
        yield dict(items[start : start + size])


def reference(row: Row, model: Fingerprint) -> str:
    """Identity of the unsteered clip a row is compared with."""
    return identity(evolve(row, interventions=()), model)
