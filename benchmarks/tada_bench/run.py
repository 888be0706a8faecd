"""Run a suite: localise, fit, generate, score; what the store already holds is not made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve
from filelock import FileLock, Timeout

from tada_bench.about import about
from tada_bench.arm import REACH, Arm
from tada_bench.budget import budget
from tada_bench.identity import fingerprint
from tada_bench.plan import Plan, expand
from tada_bench.rehearsal import rehearse
from tada_bench.session import Progress, Session, Ticker
from tada_bench.stages.fit import fit
from tada_bench.stages.generate import generate
from tada_bench.stages.localise import captions, impact_key, localise
from tada_bench.stages.place import place
from tada_bench.stages.score import score
from tada_bench.store.files import disk, write_text
from tada_bench.store.store import Store, prepare
from tada_bench.suite import Suite
from tada_bench.timing import told
from tada_bench.tools import Installed, Tools
from tada_core.concept import Concept
from tada_core.errors import MissingExtraError, SpecError, StoreError

if TYPE_CHECKING:
    from tada_core.adapter import ModelAdapter
    from tada_core.method import SteeringMethod
    from tada_core.metric import Metric


def run_suite(
    suite: Suite,
    folder: str | Path,
    model: ModelAdapter | None = None,
    *,
    source: str | None = None,
    load: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    announce: Callable[[str], None] | None = None,
    tools: Tools | None = None,
) -> Store:
    """Fill the store in `folder` with everything the suite asks for; run it again to go on after an interruption.

    Args:
        model: loaded already, or None to load the suite's.
        source: folder or hub id of the model's weights; None is its default.
        load: options of the model's `load`, such as its device.
        progress: called with clips done, clips in all and what is going on.
        announce: called with lines that say what the suite will cost: the clips before the first one, then the time and
            the room as the first batch of them tells.
        tools: names and engine; None means the installed plugins and `tada_core.run`.

    Raises:
        UnknownNameError, SpecError: the suite names something that does not exist; before any work.
        MissingExtraError, CheckpointError: a metric, a method or weights are missing; before any clip.
        StoreError: the folder is no store, of another version, in use, or the disk is full.
    """
    tools = tools or Installed()
    concepts = check(suite, tools)
    rehearse(suite, concepts, tools)
    with alone(prepare(folder)):
        store = Store.open(Path(folder))
        model = model or tools.load_model(suite.model, source, **(load or {}))
        ready = _ready(suite, model, concepts)
        clips = budget(
            suite, len(model.layers), lambda arm, name: tools.get_method(arm.method, **arm.options_for(name))
        )
        session = Session(suite, model, fingerprint(model), ready, store, tools, Ticker(clips.total, progress))
        if announce is not None:
            announce(f"at most {clips}")
            announce(told(session, clips))
        _work(session)
        return store


def _ready(suite: Suite, model: ModelAdapter, concepts: Mapping[str, Concept]) -> dict[str, Concept]:
    """The concepts with the lyrics of their clips; raises where the model lacks a layer or cannot read the lyrics."""
    how = suite.localization
    for layers in (*(arm.layers for arm in suite.arms), how.known if how is not None and how.known else None):
        model.pick(layers if isinstance(layers, tuple) else None)
    sung = {name: concept.sung(model, suite.settings) for name, concept in concepts.items()}
    for settings in sung.values():
        model.resolve(settings)
    return {name: evolve(concept, lyrics=sung[name].lyrics) for name, concept in concepts.items()}


def _work(session: Session) -> None:
    store, suite = session.store, session.suite
    with disk(store.folder):
        store.forget_failures()
        write_text(store.path("suite.json"), suite.to_json())
    impacts = localise(session)
    artifacts = fit(session, impacts)
    strengths, scales = place(session, artifacts)
    points, rows = expand(suite, session.concepts, artifacts, session.fingerprint, strengths)
    keys = {name: impact_key(session, name) for name in impacts}
    plan = Plan(points, rows, about(session, keys, artifacts, scales))
    with disk(store.folder):
        plan.save(store.path("plan.json"))
    generate(session, plan)
    score(session, plan)


def check(suite: Suite, tools: Tools) -> dict[str, Concept]:
    """The suite's concepts; every name in it looked up before any work starts.

    Raises:
        UnknownNameError: a name that nothing is registered under; names the nearest.
        MissingExtraError: metrics or methods that are not installed; names all of them, with what installs them.
        SpecError: a metric of the wrong kind, fewer prompts than are asked for, or no captions.
    """
    _check_names(suite, tools)
    concepts = {name: tools.get_concept(name) for name in suite.concepts}
    for name, concept in concepts.items():
        _check_concept(suite, name, concept, tools)
    return concepts


def _check_names(suite: Suite, tools: Tools) -> None:
    """Look up every metric and method, and say all that is not installed at once."""
    how, missing = suite.localization, list[str]()
    readers = [] if how is None or how.known else [how.reader(name) for name in suite.concepts]
    kinds = [
        *((name, "alignment") for name in (*suite.alignment, *readers)),
        (suite.preservation, "preservation"),
        *((name, "quality") for name in suite.quality),
    ]
    for name, kind in dict.fromkeys(kinds):
        try:
            _check_metric(tools.get_metric(name), kind)
        except MissingExtraError as error:
            missing.append(str(error))
    for concept in suite.concepts:
        for arm in suite.steered(concept):
            try:
                _unit(arm, tools.get_method(arm.method, **arm.options_for(concept)))
            except MissingExtraError as error:
                missing.append(str(error))
    if missing:
        raise MissingExtraError("; ".join(dict.fromkeys(missing)))


def _check_metric(metric: Metric, kind: str) -> None:
    if metric.kind != kind:
        raise SpecError(f"metric '{metric.name}' is of kind {metric.kind}, but the suite uses it for {kind}")
    if kind == "quality" and metric.direction < 0:
        raise SpecError(
            f"metric '{metric.name}' is better where it is less, and cannot be part of a mean quality; leave it out"
        )


def _check_concept(suite: Suite, name: str, concept: Concept, tools: Tools) -> None:
    how = suite.localization
    measured = how is not None and not how.known
    readers = [how.reader(name)] if how is not None and measured else []
    for metric in (*suite.alignment, *readers):
        tools.get_metric(metric).unit_for(concept)
    if suite.arms:
        _enough(name, "evaluation", len(concept.evaluation), suite.prompts)
        _enough(name, "fitting", len(concept.prompts), suite.fitting.prompts)
    if how is not None and measured and captions(how, name) is None:
        _enough(name, "fitting", len(concept.prompts), how.pairs)


def _unit(arm: Arm, method: SteeringMethod) -> None:
    units = getattr(getattr(method, "artifact", None), "units", ())
    if arm.unit not in (None, REACH) and units and arm.unit not in units:
        known = ", ".join((*units, REACH))
        raise SpecError(f"arm '{arm.name}' has strengths in '{arm.unit}'; {arm.method} knows {known}")


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
