"""A suite on another model than its own: what has to change, and the words to say so."""

from __future__ import annotations

from attrs import evolve

from tada_bench.suite import Instead, Localization, Suite
from tada_core.errors import SpecError


def adapted(suite: Suite, model: str) -> tuple[Suite, tuple[str, ...]]:
    """The suite on `model`, and a line for everything else that is no longer as the suite has it.

    Raises:
        SpecError: nothing stands in for any of its concepts there.
    """
    if model == suite.model:
        return suite, ()
    found, said = evolve(suite, model=model), list[str]()
    if suite.localization is not None and suite.localization.known:
        known = ", ".join(map(str, suite.localization.known))
        said.append(f"local layers are localised: {known} are known of {suite.model} alone")
        found = evolve(found, localization=evolve(suite.localization, known=()))
    if suite.instead is not None and model in suite.instead.models:
        found = _replaced(found, suite.instead)
        said += _told(suite, found, suite.instead)
    return found, tuple(said)


def _replaced(suite: Suite, instead: Instead) -> Suite:
    names = tuple(dict.fromkeys(instead.concepts[name] for name in suite.concepts if name in instead.concepts))
    if not names:
        raise SpecError(f"nothing stands in for the concepts of suite '{suite.name}' on {', '.join(instead.models)}")
    return evolve(
        suite,
        concepts=names,
        alignment=instead.alignment,
        preservation=instead.preservation,
        quality=instead.quality if suite.quality else (),
        prompts=min(suite.prompts, instead.prompts),
        fitting=evolve(suite.fitting, prompts=min(suite.fitting.prompts, instead.pairs)),
        localization=None if suite.localization is None else _localised(suite.localization, instead),
    )


def _localised(how: Localization, instead: Instead) -> Localization:
    return evolve(how, readout=instead.alignment[0], readouts={}, pairs=min(how.pairs, instead.pairs))


def _told(suite: Suite, found: Suite, instead: Instead) -> list[str]:
    swapped = {name: instead.concepts[name] for name in suite.concepts if name in instead.concepts}
    lost = [name for name in suite.concepts if name not in swapped]
    old, new = (f"{', '.join(one.alignment)} and {one.preservation}" for one in (suite, found))
    lines = [
        f"concepts {', '.join(f'{new} for {name}' for name, new in swapped.items())}",
        f"measured by {new} instead of {old}",
        *_judged(suite, found),
        f"at most {instead.prompts} prompts to evaluate on and {instead.pairs} to fit and to localise on",
    ]
    return lines if not lost else [*lines, f"left out, because nothing stands in for them: {', '.join(lost)}"]


def _judged(suite: Suite, found: Suite) -> list[str]:
    old, new = (", ".join(one.quality) for one in (suite, found))
    if old == new:
        return []
    return [f"quality by {new} instead of {old}" if new else f"no quality, because nothing stands in for {old}"]
