"""How alike the directions of two artefacts are, where both write to the same place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from tada_core.interventions import AddVector, Intervention, SAEDecodeAdd, ShiftTokens
from tada_core.maths.sae import feature_vector
from tada_core.maths.trajectory import at_step
from tada_core.sites import Site

if TYPE_CHECKING:
    from torch import Tensor


@frozen(eq=False)
class Written:
    """One vector that an intervention adds.

    Attributes:
        place: equal where two vectors are added to the same thing.
        branch: the passes it acts in.
        gains: sign and size at every step of a run; 0 where it is silent.
        vectors: the direction at every step, [steps, width].
    """

    place: tuple[Site, str]
    branch: str
    gains: tuple[float, ...]
    vectors: Tensor


def overlap(first: Sequence[Intervention], second: Sequence[Intervention], steps: int) -> float:
    """Mean cosine of the vectors of two steerings, over the layers and steps where both add one.

    A vector may come from AddVector, SAEDecodeAdd (the weighted sum of its decoder rows) or ShiftTokens; a negative
    strength or gain turns it round. Vectors that multiply features (unit "scale") meet only their like.

    Args:
        first, second: interventions of one artefact each.
        steps: denoising steps of the run; vectors fitted at another number are interpolated.

    Returns:
        A number in [-1, 1]; NaN where the two never meet.
    """
    theirs = list(_written(second, steps))
    met = [cosine for a in _written(first, steps) for b in theirs for cosine in _cosines(a, b)]
    return sum(met) / len(met) if met else float("nan")


def _written(interventions: Sequence[Intervention], steps: int) -> Iterator[Written]:
    import torch

    for one in interventions:
        if isinstance(one, AddVector | SAEDecodeAdd | ShiftTokens):
            place, vector = _vector(one)
            held = vector.detach().cpu().double()
            held = held if held.ndim > 1 else held[None]
            gains = tuple(one.strength * gain for gain in one.schedule.gains(steps))
            yield Written(place, one.branch, gains, torch.stack([at_step(held, i, steps) for i in range(steps)]))


def _vector(one: AddVector | SAEDecodeAdd | ShiftTokens) -> tuple[tuple[Site, str], Tensor]:
    """What a vector is added to, and the vector."""
    match one:
        case AddVector(site=site, vector=vector, unit=unit):
            return (site, "scale" if unit == "scale" else ""), vector.tensor()
        case SAEDecodeAdd(site=site, sae=sae, features=features, weights=weights):
            decoder = sae.decoder.tensor()
            chosen = decoder.new_tensor(features).long()
            return (site, ""), feature_vector(decoder, chosen, decoder.new_tensor(weights))
        case ShiftTokens(word=word, vector=vector):
            return (Site("prompt"), word), vector.tensor()


def _cosines(a: Written, b: Written) -> Iterator[float]:
    """The cosine at every step at which both act."""
    if a.place != b.place or (a.branch != b.branch and "both" not in (a.branch, b.branch)):
        return
    dots = (a.vectors * b.vectors).sum(-1)
    sizes = a.vectors.norm(dim=-1) * b.vectors.norm(dim=-1)
    for gain, other, dot, size in zip(a.gains, b.gains, dots.tolist(), sizes.tolist(), strict=True):
        if gain * other * size != 0:
            yield dot / size * (1 if gain * other > 0 else -1)
