"""First stage: which layers carry each concept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from attrs import asdict, evolve

from tada_bench.budget import localizing
from tada_bench.session import Session, sides, target
from tada_bench.store.files import disk, write_text
from tada_bench.suite import Localization
from tada_core.errors import SpecError
from tada_core.localization.pair import Pair, read_pairs

if TYPE_CHECKING:
    from tada_core.localization.impact import Impact


def localise(session: Session) -> dict[str, Impact]:
    """The impact of every layer by concept; a concept that failed is missing, and listed."""
    found = {}
    how = session.suite.localization
    for name in session.suite.concepts if how is not None and not how.known else ():
        key = impact_key(session, name)
        label = f"localising {name}"
        with session.kept(key, label):
            found[name] = _impact(session, name, key, label)
        session.ticker.finish(localizing(session.suite, len(session.model.layers)), label)
    return found


def captions(how: Localization, concept: str) -> list[Pair] | None:
    """The counterfactual captions that a concept is localised on, or None where it is by its templates.

    Raises:
        SpecError: the file is missing or holds no pairs.
    """
    if not how.captions:
        return None
    path = Path(how.captions) / f"{concept}.json"
    if not path.is_file():
        way = f"make it with `tada counterfactuals {concept} --out {path}`"
        raise SpecError(f"no counterfactual captions of '{concept}': there is no {path}; {way}")
    return read_pairs(path)[: how.pairs]


def impact_key(session: Session, name: str) -> str:
    """Names the impact of a concept under the suite's way of localising."""
    how, concept = session.suite.localization, session.concepts[name]
    assert how is not None
    own = evolve(session.suite.settings, lyrics=concept.lyrics)
    settings = asdict(own.over(session.fingerprint.defaults))
    if (pairs := captions(how, name)) is None:
        ways = [list(concept.prompts[: how.pairs]), list(how.seeds), how.base, how.reader(name)]
    else:
        ways = [[asdict(pair) for pair in pairs], list(how.seeds), "pair", how.reader(name)]
    return session.key("impact", sides(concept), target(concept), ways, settings)


def _impact(session: Session, name: str, key: str, label: str) -> Impact:
    how, store, tools = session.suite.localization, session.store, session.tools
    assert how is not None
    path = store.path("impacts", f"{key}.json")
    if path.exists():
        with store.keeping(path, "impact"):
            return tools.read_impact(path.read_text())
    readout = tools.get_metric(how.reader(name))
    concept = session.concepts[name]
    impact = tools.localize(
        session.model,
        concept,
        readout,
        base=how.base,
        pairs=captions(how, name) or how.pairs,
        seeds=how.seeds,
        settings=session.suite.settings,
        progress=lambda done, _: session.ticker.at(done, label),
    )
    with disk(store.folder):
        write_text(path, impact.to_json())
    return impact
