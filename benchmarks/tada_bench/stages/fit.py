"""Second stage: every method is fitted to every concept, once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, frozen

from tada_bench.arm import REACH, Arm, depth
from tada_bench.budget import fitting
from tada_bench.session import Session, sides
from tada_bench.store.files import disk, new_folder
from tada_bench.tuned import tuned
from tada_core.errors import SpecError

if TYPE_CHECKING:
    from tada_core.artifact import Artifact
    from tada_core.localization.impact import Impact
    from tada_core.method import SteeringMethod


def fit(session: Session, impacts: dict[str, Impact]) -> dict[tuple[str, str], Artifact]:
    """Artefacts by concept and arm; an arm that failed is missing, and listed."""
    found = {}
    for concept in session.suite.concepts:
        jobs = _jobs(session, concept, impacts)
        together = list({job.folder: job for job in jobs if job.shares and not job.folder.exists()}.values())
        if len(together) > 1:
            _fit_together(session, concept, together)
        for job in jobs:
            label = f"fitting {job.arm.name} to {concept}"
            session.ticker.at(0, label)
            with session.kept(_key(session, concept, job.arm), label):
                found[concept, job.arm.name] = _artifact(session, concept, job, label)
            session.ticker.finish(fitting(session.suite, job.arm, job.method), label)
    return found


@frozen
class Job:
    """One arm of a concept: its method, layers, and where the artefact is or will be kept."""

    arm: Arm
    method: SteeringMethod
    layers: tuple[int, ...] | None
    folder: Path

    @property
    def shares(self) -> bool:
        """Whether the method can be fitted on the clips of others."""
        from tada_core.contrastive import ContrastiveMethod

        return isinstance(self.method, ContrastiveMethod)


def _jobs(session: Session, concept: str, impacts: dict[str, Impact]) -> list[Job]:
    jobs = []
    for arm in session.suite.steered(concept):
        with session.kept(_key(session, concept, arm), f"fitting {arm.name} to {concept}"):
            layers = chosen(session, concept, arm, impacts)
            method = session.tools.get_method(arm.method, **arm.options_for(concept))
            jobs.append(Job(arm, method, layers, _folder(session, concept, arm, layers)))
    return jobs


def _key(session: Session, concept: str, arm: Arm) -> str:
    """Names the failure of an arm's fit."""
    return session.key("fit", concept, arm.name)


def _fit_together(session: Session, concept: str, jobs: Sequence[Job]) -> None:
    """Fit several methods on the same clips; if that fails, each is fitted by itself later and its failure kept."""
    value, label = session.trained(concept), f"fitting {len(jobs)} arms to {concept}"
    wanted = [(job.method, job.layers) for job in jobs]
    tick = session.ticker
    try:
        made = session.tools.fit_together(
            wanted,
            tuned(session.model, session.suite.settings),
            value,
            session.suite.fitting.seeds,
            lambda done, _: tick.at(done, label),
        )
    except Exception:
        return
    for job, artifact in zip(jobs, made, strict=True):
        _save(session, job, artifact)


def chosen(session: Session, concept: str, arm: Arm, impacts: dict[str, Impact]) -> tuple[int, ...] | None:
    """The layers of an arm for a concept; None means all.

    Raises:
        SpecError: localisation failed for this concept, or every layer is local.
    """
    if arm.layers == "all":
        return None
    if isinstance(arm.layers, tuple):
        return arm.layers
    every = tuple(layer.index for layer in session.model.layers)
    if (share := depth(arm.layers)) is not None:
        return (every[round(share * (len(every) - 1))],)
    local = _local(session, concept, impacts)
    if arm.layers == "local":
        return local
    if not (rest := tuple(layer for layer in every if layer not in local)):
        raise SpecError(f"no layer is left for 'rest': all are local to '{concept}'; lower the localization's top")
    return rest


def _local(session: Session, concept: str, impacts: dict[str, Impact]) -> tuple[int, ...]:
    how = session.suite.localization
    if how is not None and how.known:
        return tuple(sorted(how.known))
    if how is None or concept not in impacts:
        raise SpecError(f"the local layers of '{concept}' are not known, because localisation failed")
    return tuple(sorted(impacts[concept].top(how.top)))


def _folder(session: Session, concept: str, arm: Arm, layers: tuple[int, ...] | None) -> Path:
    value, where = session.trained(concept), None if layers is None else list(layers)
    suite, seeds = session.suite, list(session.suite.fitting.seeds)
    settings = evolve(session.model.resolve(suite.settings), lyrics="")
    # Said only where it differs, so that a store of before these settings counted is still found.
    how: list[Any] = [] if settings == session.fingerprint.defaults else [asdict(settings)]
    if arm.unit == REACH:
        how.append([REACH, suite.preservation, suite.fitting.reach])
    options = arm.options_for(concept)
    key = session.key("artifact", arm.method, options, sides(value), list(value.prompts), where, seeds, *how)
    return session.store.path("artifacts", key)


def _artifact(session: Session, concept: str, job: Job, label: str) -> Artifact:
    if job.folder.exists():
        with session.store.keeping(job.folder, "artefact"):
            return session.tools.load_artifact(job.folder)
    seeds, tick = session.suite.fitting.seeds, session.ticker
    value = session.trained(concept)
    model = tuned(session.model, session.suite.settings)
    made = job.method.fit(model, value, job.layers, seeds, lambda done, _: tick.at(done, label))
    _save(session, job, made)
    return session.tools.load_artifact(job.folder)


def _save(session: Session, job: Job, made: Artifact) -> None:
    if job.arm.unit == REACH:
        made = _reached(session, made)
    with disk(session.store.folder), new_folder(job.folder) as temporary:
        made.save_pretrained(temporary)


def _reached(session: Session, made: Artifact) -> Artifact:
    """The artefact with its dose scale, on the prompts it was fitted on."""
    suite, tools = session.suite, session.tools
    return tools.calibrate(
        session.model,
        made,
        tools.get_metric(suite.preservation),
        prompts=min(suite.fitting.reach, suite.fitting.prompts),
        settings=suite.settings,
        progress=lambda done, _: None,
    )
