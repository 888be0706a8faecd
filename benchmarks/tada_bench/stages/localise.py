"""First stage: which layers carry each concept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import asdict

from tada_bench.budget import localizing
from tada_bench.session import Session, sides, target
from tada_bench.store.files import disk, write_text
from tada_core.errors import StoreError

if TYPE_CHECKING:
    from tada_core.impact import Impact


def localise(session: Session) -> dict[str, Impact]:
    """The impact of every layer by concept; a concept that failed is missing, and listed."""
    found = {}
    for name in session.suite.concepts if session.suite.localization else ():
        key = impact_key(session, name)
        label = f"localising {name}"
        try:
            found[name] = _impact(session, name, key, label)
        except StoreError:
            raise
        except Exception as error:
            session.store.fail(key, label, error)
        session.ticker.finish(localizing(session.suite, len(session.model.layers)), label)
    return found


def impact_key(session: Session, name: str) -> str:
    """Names the impact of a concept under the suite's way of localising."""
    how, concept = session.suite.localization, session.concepts[name]
    assert how is not None
    prompts = concept.prompts[: how.pairs]
    settings = asdict(session.suite.settings.over(session.fingerprint.defaults))
    ways = [list(prompts), list(how.seeds), how.base, how.readout]
    return session.key("impact", sides(concept), target(concept), ways, settings)


def _impact(session: Session, name: str, key: str, label: str) -> Impact:
    how, store, tools = session.suite.localization, session.store, session.tools
    assert how is not None
    path = store.path("impacts", f"{key}.json")
    if path.exists():
        with store.keeping(path, "impact"):
            return tools.read_impact(path.read_text())
    readout = tools.get_metric(how.readout)
    concept = session.concepts[name]
    impact = tools.localize(
        session.model,
        concept,
        readout,
        base=how.base,
        pairs=how.pairs,
        seeds=how.seeds,
        settings=session.suite.settings,
        progress=lambda done, _: session.ticker.at(done, label),
    )
    with disk(store.folder):
        write_text(path, impact.to_json())
    return impact
