"""Localisation by activation patching: patch one part of a model at a time and see what it carries.

Differs from the paper: full precision, no clipping, intervals, noise of its own for every prompt; and further slots,
modes and parts, which are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from tada_core.adapter import ModelAdapter
from tada_core.concept import Concept
from tada_core.generation import Settings
from tada_core.localization.design import design
from tada_core.localization.experiment import Patched
from tada_core.localization.impact import Impact
from tada_core.localization.pair import Pair
from tada_core.localization.part import Part
from tada_core.maths.impact import Mode
from tada_core.metric import Metric
from tada_core.progress import Progress


def localize(
    model: ModelAdapter,
    concept: Concept,
    readout: Metric,
    *,
    base: Literal["neutral", "opposite"] = "neutral",
    layers: Sequence[int] | None = None,
    parts: Iterable[Part] | None = None,
    pairs: int | Sequence[Pair] = 4,
    seeds: Sequence[int] = (0, 1),
    slot: Patched | None = None,
    mode: Mode = "denoising",
    settings: Settings | None = None,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Impact:
    """Impact of every layer on a concept (TADA eq. 9), with L + 2 generations per pair and seed.

    The source run reads the base prompt, the target run the concept's; a patched run is the source run with one
    layer reading the concept's text input, on every step and both branches. The defaults are the published ones.

    Args:
        model: the adapter.
        concept: positive template against its neutral or negative one.
        readout: an alignment metric.
        base: which template is the source; the choice changes the result and is kept in it. Idle where pairs are given.
        layers: layers to try, each on its own (default: all).
        parts: what to try instead, such as `couples(...)` or `stages(...)` of `tada_core.localization.part`.
        pairs: how many of the concept's prompts, or counterfactual captions, read as they are.
        seeds: one generation per prompt and seed; every prompt has noise of its own (`seed_at`).
        slot: what is patched: "text" (default), "k" and "v" (prompts of one token length), or "out": the layer's
            output in the other run at the same step, which depends on its latents, so that the other run is made
            again for every batch that its own does not share. In ablation what is removed: "out" (default), "k", "v".
        mode: "denoising"; "noising": the target run with a part of the source in it; "ablation": the target run with
            the part's output set to zero. Where either of two parts suffices both show in denoising and neither in the
            other two; where both are needed it is the other way round.
        settings: seconds, steps and so on (default: the model's).
        batch_size: rows per forward pass.
        progress: called with (clips done, clips in all).

    Raises:
        SpecError: no such base, slot or mode, too many pairs, no seeds, a window without a step, a readout that is not
            an alignment metric, prompts whose lengths forbid the slot.
        UnknownNameError: a layer that does not exist.
    """
    made = design(
        model,
        concept,
        readout,
        base=base,
        layers=layers,
        parts=parts,
        pairs=pairs,
        seeds=seeds,
        settings=settings,
        slot=slot,
        mode=mode,
        batch_size=batch_size,
    )
    places = range(len(made.cases))
    return made.impact(made.measure(places, made.parts, progress), made.count(places, made.parts))
