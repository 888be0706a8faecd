"""The design of an experiment: what a user asks of a localisation, checked before any work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from tada_core.adapter import ModelAdapter
from tada_core.concept import Concept
from tada_core.errors import SpecError
from tada_core.generation import Settings
from tada_core.localization.experiment import Case, Experiment, Patched
from tada_core.localization.pair import Pair
from tada_core.localization.part import Part, singles
from tada_core.maths.impact import Mode
from tada_core.metric import Metric


def design(
    model: ModelAdapter,
    concept: Concept,
    readout: Metric,
    *,
    base: str,
    layers: Sequence[int] | None,
    parts: Iterable[Part] | None,
    pairs: int | Sequence[Pair],
    seeds: Sequence[int],
    settings: Settings | None,
    slot: Patched | None,
    mode: Mode,
    batch_size: int | None,
) -> Experiment:
    """The experiment that the arguments of `localize` and `screen` describe; raises as they do."""
    _check(readout, seeds, slot, mode)
    cases = cases_of(concept, base, pairs)
    made = Experiment(
        model=model,
        concept=concept,
        readout=readout,
        base=base if isinstance(pairs, int) else "pair",
        cases=cases,
        pairs=() if isinstance(pairs, int) else tuple(pairs),
        seeds=tuple(seeds),
        settings=concept.sung(model, settings),
        parts=_chosen(model, layers, parts),
        slot=slot or ("out" if mode == "ablation" else "text"),
        mode=mode,
        batch_size=batch_size,
    )
    _check_windows(made)
    return made


def cases_of(concept: Concept, base: str, pairs: int | Sequence[Pair]) -> tuple[Case, ...]:
    """Cases of a concept's own prompts, the first `pairs`, or of counterfactual captions; raises SpecError."""
    if base not in ("neutral", "opposite"):
        raise SpecError(f"base '{base}' does not exist; choose neutral or opposite")
    if not isinstance(pairs, int):
        if not pairs:
            raise SpecError(
                "no pairs given; pass Pair(positive, negative) values, or how many of the concept's prompts"
            )
        return tuple(Case(pair.negative, "{p}", pair.positive) for pair in pairs)
    if not 1 <= pairs <= len(concept.prompts):
        raise SpecError(f"{pairs} pairs asked for, but concept '{concept.name}' has 1 to {len(concept.prompts)}")
    return tuple(Case(prompt, concept.side(base), concept.positive) for prompt in concept.prompts[:pairs])


def _chosen(model: ModelAdapter, layers: Sequence[int] | None, parts: Iterable[Part] | None) -> tuple[Part, ...]:
    if parts is None:
        return singles(model) if layers is None else tuple(Part(layer) for layer in model.pick(layers))
    if layers is not None:
        raise SpecError("layers and parts are two ways to say the same; leave out one of them")
    chosen = tuple(dict.fromkeys(parts))
    if not chosen:
        raise SpecError("no parts chosen; pass at least one Part, or None for every layer on its own")
    return chosen


def _check(readout: Metric, seeds: Sequence[int], slot: str | None, mode: str) -> None:
    if not seeds:
        raise SpecError("no seeds given; write seeds=(0,)")
    if readout.kind != "alignment":
        raise SpecError(f"readout '{readout.name}' is a {readout.kind} metric; localisation needs an alignment metric")
    _known("mode", mode, get_args(Mode))
    _known("slot", slot or "out", get_args(Patched))
    if mode == "ablation" and slot == "text":
        raise SpecError("ablation removes an output, and a text input is none; choose slot out, k or v")


def _known(what: str, name: str, names: tuple[Any, ...]) -> None:
    if name not in names:
        raise SpecError(f"{what} '{name}' does not exist; choose {', '.join(names[:-1])} or {names[-1]}")


def _check_windows(made: Experiment) -> None:
    """A window between two steps would change nothing, and look like a part without impact."""
    own = made.model.resolve(made.settings)
    assert own.guidance is not None and own.steps is not None
    steps = made.model.branches(own.guidance, own.steps)["cond"].stop
    for part in made.parts:
        if not any(part.schedule.gains(steps)):
            raise SpecError(
                f"part '{part.name}' holds none of {steps} steps; cut the trajectory into at most {steps} stages"
            )
