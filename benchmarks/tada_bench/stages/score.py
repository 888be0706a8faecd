"""Fifth stage: the scores, always read from the stored audio, so that a metric can be added at any time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from tada_bench.plan import Plan, reference
from tada_bench.session import Session, target
from tada_bench.store.cell import SCORES, read_scores, write_scores
from tada_bench.store.files import disk
from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.errors import SpecError


@frozen
class Task:
    """One metric over the clips of one cell; `concept` is None but for an alignment metric."""

    cell: Path
    metric: str
    concept: str | None

    @property
    def name(self) -> str:
        """What the file of scores is called."""
        return score_name(self.metric, self.concept)


def score_name(metric: str, concept: str | None) -> str:
    """The name scores are kept under in a cell."""
    return metric if concept is None else f"{metric}@{concept}"


def score(session: Session, plan: Plan) -> None:
    """Measure what has not been measured; a metric that fails on a cell is listed."""
    for task, identities in _tasks(session, plan).items():
        session.ticker.at(0, f"scoring {task.name}")
        with session.kept(f"{task.cell.name}-{task.name}", f"scoring {task.name} in {task.cell.name}"):
            _measure(session, plan, task, identities)


def _tasks(session: Session, plan: Plan) -> Mapping[Task, list[str]]:
    suite, store = session.suite, session.store
    wanted: dict[Task, dict[str, None]] = defaultdict(dict)
    for point in plan.points:
        if point.identity in store.clips:
            cell = store.cell(point.identity)
            for metric in (suite.preservation, *suite.quality):
                wanted[Task(cell, metric, None)][point.identity] = None
            for metric in suite.alignment:
                wanted[Task(cell, metric, point.concept)][point.identity] = None
    return {task: list(identities) for task, identities in wanted.items()}


def _measure(session: Session, plan: Plan, task: Task, identities: list[str]) -> None:
    digest = _against(session, task)
    known = _known(session, task, digest)
    missing = sorted(set(identities) - known.keys())
    if not missing:
        return
    clips = [Audio.load(session.store.clips[identity]) for identity in missing]
    against: Concept | list[Audio] | None = None
    if task.concept is not None:
        against = session.concepts[task.concept]
    elif task.metric == session.suite.preservation:
        against = _references(session, plan, missing)
    values = session.tools.get_metric(task.metric).score(clips, against)
    fresh = {identity: float(value) for identity, value in zip(missing, values, strict=True) if math.isfinite(value)}
    scores = known | fresh
    with disk(session.store.folder):
        write_scores(task.cell, task.name, digest, dict(sorted(scores.items())))
    if silent := set(missing) - fresh.keys():
        raise SpecError(f"{task.metric} gives no finite number for {len(silent)} of {len(missing)} clips")


def _against(session: Session, task: Task) -> str:
    """Digest of what a task measures against."""
    if task.concept is not None:
        return session.key("against", target(session.concepts[task.concept]))
    return "unsteered" if task.metric == session.suite.preservation else "nothing"


def _known(session: Session, task: Task, digest: str) -> dict[str, float]:
    with session.store.keeping(task.cell / SCORES / f"{task.name}.json", "file of scores"):
        return read_scores(task.cell, task.name, digest) or {}
    return {}


def _references(session: Session, plan: Plan, identities: list[str]) -> list[Audio]:
    wanted = [reference(plan.rows[identity], session.fingerprint) for identity in identities]
    if lost := [identity for identity in wanted if identity not in session.store.clips]:
        raise SpecError(f"the unsteered clip {lost[0]} is missing, because its cell failed")
    loaded = {identity: Audio.load(session.store.clips[identity]) for identity in set(wanted)}
    return [loaded[identity] for identity in wanted]
