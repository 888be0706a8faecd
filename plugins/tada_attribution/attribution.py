"""Attribution patching (Nanda 2023; Kramár et al. 2024, arXiv 2403.00745) of the text that the layers read.

At a state of the source run, with v the conditional prediction and e a gate per layer (see `gates`),

    a(l) = d/de(l) <v(e), d> / <d, d> at e = 0,    d = v(target) - v(source):

the share of the prompt's swap that patching layer l alone would bring, to first order. All layers come from one
backward pass.

Differs from localisation by patching (`tada_core.localize`): what is read out is the prediction, along the direction in
which the whole prompt moves it, not a metric of the clip; the unconditional branch keeps its text; what follows in the
trajectory is not seen, nor are effects beyond the first order. It proposes layers, for `localize` to confirm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tada_attribution.gates import gated
from tada_core import Concept, Impact, ModelAdapter, Row, Settings, Site, seed_at
from tada_core.engine.donors import Donors, read_donors
from tada_core.engine.replay import Recorded, calls_of, record
from tada_core.errors import SpecError
from tada_core.localization.design import cases_of
from tada_core.localization.experiment import Case
from tada_core.localization.pair import Pair
from tada_core.progress import Progress, bar

Array = NDArray[np.float64]
READOUT = "prediction"
PASSES = 4
"""Passes of one row behind a state: the target's forward, the source's forward, and a backward that costs two."""


def attribute(
    model: ModelAdapter,
    concept: Concept,
    *,
    base: Literal["neutral", "opposite"] = "neutral",
    layers: Sequence[int] | None = None,
    pairs: int | Sequence[Pair] = 4,
    seeds: Sequence[int] = (0,),
    states: int = 1,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Impact:
    """Estimated impact of every layer, in the form that `tada_core.localize` gives.

    Its `source` and `target` are 0 and 1, its `patched` the shares, so that impacts and their intervals are those of
    the shares; `generations` is the work done in units of a clip's, rounded up, without decoding.

    Args:
        model: the adapter; its denoiser must be differentiable.
        concept: positive template against its neutral or negative one.
        base: which template is the source.
        layers: layers to judge (default: all).
        pairs: how many of the concept's prompts, or counterfactual captions.
        seeds: one source run per prompt and seed.
        states: how many states of each run are looked at, evenly spaced, all counting alike; 1 is the middle of the
            trajectory. Near its beginning the last layers seem larger than they are, near its end the first ones.
        settings: of the source runs (default: the model's).
        progress: called with (states done, states in all).

    Raises:
        SpecError: no such base, too many pairs, no seeds, more states than steps, or prompts that read alike.
        UnknownNameError: a layer that does not exist.
    """
    cases, chosen, own = cases_of(concept, base, pairs), model.pick(layers), concept.sung(model, settings)
    if not seeds:
        raise SpecError("no seeds given; write seeds=(0,)")
    rows = [Row(case.prompt, seed_at(seed, at), case.source, own) for at, case in enumerate(cases) for seed in seeds]
    steps = spaced(states, calls_of(model, rows[0]))
    targets = [target(case) for case in cases for _ in seeds]
    shares, shape = measured(model, rows, targets, chosen, steps, progress), (len(cases), len(seeds))
    return Impact(
        model=model.name,
        concept=concept.name,
        readout=READOUT,
        base=base if isinstance(pairs, int) else "pair",
        layers=chosen,
        paths=tuple(model.layer(layer).path for layer in chosen),
        prompts=tuple(case.prompt for case in cases),
        seeds=tuple(seeds),
        source=np.zeros(shape),
        target=np.ones(shape),
        patched=shares.T.reshape(len(chosen), *shape),
        pairs=() if isinstance(pairs, int) else tuple(pairs),
        generations=cost(model, rows[0], steps, len(rows)),
    )


def measured(
    model: ModelAdapter,
    rows: Sequence[Row],
    targets: Sequence[str],
    layers: Sequence[int],
    steps: Sequence[int],
    progress: Progress | None = None,
) -> Array:
    """The layers' shares of every source run, mean over its states, [rows, layers].

    Args:
        model: the adapter.
        rows: source runs, of equal settings.
        targets: the full prompt that each is compared with.
        layers: to be judged.
        steps: of the states.
        progress: called with (states done, states in all); by default a bar, at a terminal.

    Raises:
        SpecError: as `share`.
    """
    sites = [Site("text", layer) for layer in layers]
    donors = read_donors(model, [*targets, *(row.text for row in rows)], rows[0].settings, sites)
    found: list[Array] = []
    with nullcontext(progress) if progress is not None else bar(f"{model.name}: attributions") as report:
        for row, text in zip(rows, targets, strict=True):
            for state in record(model, [row], [steps]):
                found.append(share(state, row.text, text, donors, layers))
                report(len(found), len(rows) * len(steps))
    shares: Array = np.reshape(found, (len(rows), len(steps), len(layers))).mean(1)
    return shares


def spaced(states: int, steps: int) -> tuple[int, ...]:
    """The steps of evenly spaced states: the middle of each of `states` equal windows.

    Raises:
        SpecError: none, or more than there are steps.
    """
    if not 1 <= states <= steps:
        raise SpecError(f"{states} states asked for of a run of {steps} steps; ask for 1 to {steps}")
    return tuple(int((place + 0.5) * steps / states) for place in range(states))


def target(case: Case) -> str:
    """The prompt of the target run."""
    return Row(case.prompt, template=case.target).text


def share(state: Recorded, source: str, target: str, donors: Donors, layers: Sequence[int]) -> Array:
    """The layers' shares at one state, [layers].

    Args:
        state: a call of the source run.
        source, target: full prompts.
        donors: has read both, and the target at every layer.
        layers: to be judged.

    Raises:
        SpecError: the whole prompt does not move the prediction.
    """
    texts = {layer: donors.at(target, "cond", Site("text", layer)) for layer in layers}
    gates = torch.zeros(len(layers), requires_grad=True)
    with torch.no_grad():
        swapped = _wide(state.replay([donors.prompt(target, "cond")]))
    with torch.enable_grad(), gated(state.model, layers, texts, gates):
        own = _wide(state.replay([donors.prompt(source, "cond")]))
        way = swapped - own.detach()
        (slopes,) = torch.autograd.grad((own * way).sum(), gates)
    if not way.any():
        raise SpecError(f"'{target}' and '{source}' read alike to '{state.model.name}': no layer can count")
    return (slopes.double() / way.double().square().sum().cpu()).numpy()


def _wide(prediction: Tensor) -> Tensor:
    """At least single precision: two predictions that are close are taken from each other."""
    return prediction.to(torch.promote_types(prediction.dtype, torch.float32))


def cost(model: ModelAdapter, row: Row, steps: Sequence[int], runs: int) -> int:
    """The work of all runs in clips: recording as far as the last state, and `PASSES` passes of one row per state."""
    own = model.resolve(row.settings)
    assert own.guidance is not None and own.steps is not None
    there = model.branches(own.guidance, own.steps).values()
    whole = sum(len(span) for span in there)
    recorded = sum(sum(step <= max(steps) for step in span) for span in there)
    return math.ceil(runs * (recorded + PASSES * len(steps)) / whole)
