"""Run a suite: localise, fit, generate, score; what the store already holds is not made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from tada_bench.about import about
from tada_bench.budget import Budget, budget
from tada_bench.identity import fingerprint
from tada_bench.plan import Plan, expand
from tada_bench.session import Progress, Session, Ticker
from tada_bench.stages.fit import fit
from tada_bench.stages.generate import generate
from tada_bench.stages.localise import impact_key, localise
from tada_bench.stages.score import score
from tada_bench.store.files import disk, write_text
from tada_bench.store.store import Store, prepare
from tada_bench.suite import Arm, Suite
from tada_bench.tools import Installed, Tools
from tada_core.concept import Concept
from tada_core.errors import SpecError, StoreError

if TYPE_CHECKING:
    from tada_core.adapter import ModelAdapter
    from tada_core.method import SteeringMethod


def run_suite(
    suite: Suite,
    folder: str | Path,
    model: ModelAdapter | None = None,
    *,
    source: str | None = None,
    load: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    announce: Callable[[Budget], None] | None = None,
    tools: Tools | None = None,
) -> Store:
    """Fill the store in `folder` with everything the suite asks for; run it again to go on after an interruption.

    Args:
        model: loaded already, or None to load the suite's.
        source: folder or hub id of the model's weights; None is its default.
        load: options of the model's `load`, such as its device.
        progress: called with clips done, clips in all and what is going on.
        announce: called with the budget before the first clip.
        tools: names and engine; None means the installed plugins and `tada_core.run`.

    Raises:
        UnknownNameError, SpecError: the suite names something that does not exist; before any work.
        StoreError: the folder is no store, of another version, in use, or the disk is full.
    """
    tools = tools or Installed()
    concepts = check(suite, tools)
    with alone(prepare(folder)):
        store = Store.open(Path(folder))
        model = model or tools.load_model(suite.model, source, **(load or {}))
        for arm in suite.arms:
            model.pick(arm.layers if isinstance(arm.layers, tuple) else None)
        clips = budget(suite, len(model.layers))
        if announce is not None:
            announce(clips)
        _work(Session(suite, model, fingerprint(model), concepts, store, tools, Ticker(clips.total, progress)))
        return store


def _work(session: Session) -> None:
    store, suite = session.store, session.suite
    with disk(store.folder):
        store.forget_failures()
        write_text(store.path("suite.json"), suite.to_json())
    impacts = localise(session)
    artifacts = fit(session, impacts)
    points, rows = expand(suite, session.concepts, artifacts, session.fingerprint)
    keys = {name: impact_key(session, name) for name in impacts}
    plan = Plan(points, rows, about(session, keys, artifacts))
    with disk(store.folder):
        plan.save(store.path("plan.json"))
    generate(session, plan)
    score(session, plan)


def check(suite: Suite, tools: Tools) -> dict[str, Concept]:
    """The suite's concepts; every name in it looked up before any work starts.

    Raises:
        UnknownNameError: a name that nothing is registered under; names the nearest.
        SpecError: a metric of the wrong kind, or more prompts than a concept has.
    """
    alignment = [*suite.alignment, *([suite.localization.readout] if suite.localization else [])]
    for name, kind in [*((name, "alignment") for name in alignment), (suite.preservation, "preservation")]:
        if (found := tools.get_metric(name).kind) != kind:
            raise SpecError(f"metric '{name}' is of kind {found}, but the suite uses it for {kind}")
    for arm in suite.arms:
        _unit(arm, tools.get_method(arm.method, **arm.options))
    concepts = {name: tools.get_concept(name) for name in suite.concepts}
    for name, concept in concepts.items():
        for metric in alignment:
            tools.get_metric(metric).unit_for(concept)
        _enough(name, "evaluation", len(concept.evaluation), suite.prompts)
        _enough(name, "fitting", len(concept.prompts), suite.fitting.prompts)
        if suite.localization is not None:
            _enough(name, "fitting", len(concept.prompts), suite.localization.pairs)
    return concepts


def _unit(arm: Arm, method: SteeringMethod) -> None:
    units = getattr(getattr(method, "artifact", None), "units", ())
    if arm.unit is not None and units and arm.unit not in units:
        raise SpecError(f"arm '{arm.name}' has strengths in '{arm.unit}'; {arm.method} knows {', '.join(units)}")


def _enough(concept: str, use: str, known: int, asked: int) -> None:
    if asked > known:
        raise SpecError(f"the suite asks for {asked} {use} prompts, but concept '{concept}' has {known}; ask for fewer")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the store, so that two runs do not clear up after each other; a killed run lets go by itself.

    Raises:
        StoreError: another run holds it.
    """
    try:
        with FileLock(folder / ".lock", blocking=False):
            yield
    except Timeout as error:
        raise StoreError(f"{folder} is in use by another run; wait for it, or name another --out") from error
