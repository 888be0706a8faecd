"""Second stage: every method is fitted to every concept, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tada_bench.budget import fitting
from tada_bench.session import Session, sides
from tada_bench.store.files import disk, new_folder
from tada_bench.suite import Arm
from tada_core.errors import SpecError, StoreError

if TYPE_CHECKING:
    from tada_core.artifact import Artifact
    from tada_core.impact import Impact


def fit(session: Session, impacts: dict[str, Impact]) -> dict[tuple[str, str], Artifact]:
    """Artefacts by concept and arm; an arm that failed is missing, and listed."""
    found = {}
    for concept in session.suite.concepts:
        for arm in session.suite.arms:
            label = f"fitting {arm.name} to {concept}"
            failure = session.key("fit", concept, arm.name)
            session.ticker.at(0, label)
            try:
                layers = chosen(session, concept, arm, impacts)
                found[concept, arm.name] = _artifact(session, concept, arm, layers, label)
            except StoreError:
                raise
            except Exception as error:
                session.store.fail(failure, label, error)
            session.ticker.finish(fitting(session.suite, arm.method), label)
    return found


def chosen(session: Session, concept: str, arm: Arm, impacts: dict[str, Impact]) -> tuple[int, ...] | None:
    """The layers of an arm for a concept; None means all.

    Raises:
        SpecError: localisation failed for this concept.
    """
    if arm.layers == "all":
        return None
    if isinstance(arm.layers, tuple):
        return arm.layers
    if concept not in impacts or session.suite.localization is None:
        raise SpecError(f"the local layers of '{concept}' are not known, because localisation failed")
    return tuple(sorted(impacts[concept].top(session.suite.localization.top)))


def _artifact(session: Session, concept: str, arm: Arm, layers: tuple[int, ...] | None, label: str) -> Artifact:
    store, value, seeds = session.store, session.trained(concept), session.suite.fitting.seeds
    where = None if layers is None else list(layers)
    key = session.key("artifact", arm.method, dict(arm.options), sides(value), list(value.prompts), where, list(seeds))
    folder = store.path("artifacts", key)
    if folder.exists():
        with store.keeping(folder, "artefact"):
            return session.tools.load_artifact(folder)
    method = session.tools.get_method(arm.method, **arm.options)
    made = method.fit(session.model, value, layers, seeds, lambda done, _: session.ticker.at(done, label))
    with disk(store.folder), new_folder(folder) as temporary:
        made.save_pretrained(temporary)
    return session.tools.load_artifact(folder)
