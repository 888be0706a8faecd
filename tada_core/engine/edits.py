"""Edits: the interventions of many rows at one site, compiled into few batched tensor operations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from attrs import frozen
from torch import Tensor

from tada_core.adapter import Call
from tada_core.engine.text import pad
from tada_core.interventions import (
    Ablate,
    AddVector,
    Intervention,
    LowRankAdd,
    PatchKV,
    PatchOutput,
    SAEDecodeAdd,
    SparseAutoencoder,
)
from tada_core.maths.ablate import ablate
from tada_core.maths.add_vector import add_vector
from tada_core.maths.low_rank import low_rank
from tada_core.maths.renorm import renorm
from tada_core.maths.sae import edit_features, encode, feature_vector
from tada_core.maths.trajectory import at_step
from tada_core.tensors import TensorRef


@frozen(eq=False)
class Moment:
    """When an edit is applied, and what is beside it.

    Attributes:
        call, branch: of the rows.
        x: what the module read for them (LowRankAdd).
        plain: what the module gave every row of the branch, before any edit (PatchOutput).
    """

    call: Call
    branch: str
    x: Tensor | None = None
    plain: Tensor | None = None


@frozen(eq=False)
class Edit(ABC):
    """The same kind of intervention in several rows at one site.

    Attributes:
        rows: row of the batch each member acts on.
        members: the interventions, one per row.
    """

    rows: tuple[int, ...]
    members: tuple[Any, ...]

    def gains(self, call: Call, branch: str) -> tuple[float, ...]:
        """Strength times schedule of every member at this call and branch; 0.0 where it is silent."""
        return tuple(gain(member, call) if member.branch in (branch, "both") else 0.0 for member in self.members)

    @abstractmethod
    def apply(self, h: Tensor, active: Sequence[int], gains: Sequence[float], moment: Moment) -> Tensor:
        """New values of the active members' rows, h [active, tokens, width]."""


def gain(member: Intervention, call: Call) -> float:
    """Strength (1.0 where an intervention has none) times the schedule's gain."""
    return float(getattr(member, "strength", 1.0)) * member.schedule.gain(call.step, call.steps)


def column(values: Sequence[float], like: Tensor) -> Tensor:
    """One number per row, shaped [rows, 1, ...] to broadcast against `like`."""
    return torch.tensor(values, dtype=like.dtype, device=like.device).reshape(-1, *([1] * (like.ndim - 1)))


class Vectors:
    """Direction tensors of several members, equal ones held once, read at a step."""

    def __init__(self, keys: Sequence[object], tensors: Sequence[Tensor]) -> None:
        unique = dict(zip(keys, tensors, strict=True))
        order = {key: index for index, key in enumerate(unique)}
        self.unique = list(unique.values())
        self.which = [order[key] for key in keys]

    def at(self, active: Sequence[int], call: Call, like: Tensor) -> Tensor:
        """Directions of the active members at this step, [active, 1, width]."""
        now = [self._now(tensor.to(like.device, like.dtype), call) for tensor in self.unique]
        return torch.stack([now[self.which[member]] for member in active]).unsqueeze(1)

    @staticmethod
    def _now(tensor: Tensor, call: Call) -> Tensor:
        return tensor if tensor.ndim == 1 else at_step(tensor, call.step, call.steps)


@frozen(eq=False)
class VectorEdit(Edit):
    """AddVector, and SAEDecodeAdd in its vector form."""

    unit: str
    norm: bool
    vectors: Vectors

    def apply(self, h: Tensor, active: Sequence[int], gains: Sequence[float], moment: Moment) -> Tensor:
        """h + a v, or h + a |h| v, with ReNorm where asked."""
        new = add_vector(h, self.vectors.at(active, moment.call, h), column(gains, h), self.unit)
        return renorm(new, h) if self.norm else new


@frozen(eq=False)
class AblateEdit(Edit):
    """Ablate: the whole output, or one direction of it."""

    vectors: Vectors | None
    rectified: bool
    norm: bool

    def apply(self, h: Tensor, active: Sequence[int], gains: Sequence[float], moment: Moment) -> Tensor:
        """h (1 - a), or h without its component along v."""
        v = None if self.vectors is None else self.vectors.at(active, moment.call, h)
        new = ablate(h, v, column(gains, h), self.rectified)
        return renorm(new, h) if self.norm else new


@frozen(eq=False)
class FeatureEdit(Edit):
    """SAEDecodeAdd in its encode-edit-decode forms; all members share one autoencoder."""

    sae: SparseAutoencoder
    mode: str
    unit: str

    def apply(self, h: Tensor, active: Sequence[int], gains: Sequence[float], moment: Moment) -> Tensor:
        """h + (f' - f) W_dec with f' = max(f + a w, 0), max(f + a |h| w, 0) or max(f (1 + a w), 0) where chosen."""
        names = ("encoder", "encoder_bias", "decoder", "decoder_bias")
        encoder, bias, decoder, centre = (getattr(self.sae, name).tensor().to(h.device, h.dtype) for name in names)
        f = encode(h, encoder, bias, centre, self.sae.k)
        push = h.new_zeros(len(active), 1, decoder.shape[0])
        for place, (member, a) in enumerate(zip(active, gains, strict=True)):
            chosen: SAEDecodeAdd = self.members[member]
            push[place, 0, list(chosen.features)] = a * weights_of(chosen, moment.call).to(h)
        if self.mode == "multiplicative":
            push = push * f
        elif self.unit == "norm":
            push = push * h.norm(dim=-1, keepdim=True)
        return edit_features(h, f, decoder, push)


@frozen(eq=False)
class LowRankEdit(Edit):
    """LowRankAdd; all members share one pair of matrices."""

    down: TensorRef
    up: TensorRef

    def apply(self, h: Tensor, active: Sequence[int], gains: Sequence[float], moment: Moment) -> Tensor:
        """h + a up(down(x)), x what the projection read."""
        assert moment.x is not None
        down, up = (one.tensor().to(h.device, h.dtype) for one in (self.down, self.up))
        return low_rank(h, moment.x, down, up, column(gains, h))


@frozen(eq=False)
class DonorEdit(Edit):
    """PatchKV at one projection: rows take the donor's tensor of the same branch."""

    donors: tuple[dict[str, Tensor], ...]

    def apply(self, h: Tensor, active: Sequence[int], gains: Sequence[float], moment: Moment) -> Tensor:
        """The donors' values, [active, tokens, width]; where batch mates made the rows longer, their mask hides it."""
        values = (pad(self.donors[member][moment.branch], -2, h.shape[-2]) for member in active)
        return torch.stack(list(values)).to(h.device, h.dtype)


@frozen(eq=False)
class GuestEdit(Edit):
    """PatchOutput at one layer: rows take the output of the rows that run their donors."""

    guests: tuple[int, ...]

    def apply(self, h: Tensor, active: Sequence[int], gains: Sequence[float], moment: Moment) -> Tensor:
        """The guests' values, [active, tokens, width]; a guest has no edits of its own."""
        assert moment.plain is not None
        return moment.plain[[self.guests[member] for member in active]]


def kind_of(member: Intervention) -> tuple[object, ...]:
    """Members of equal kind can be computed together."""
    match member:
        case AddVector(unit=unit, renorm=norm):
            return ("vector", unit, norm)
        case SAEDecodeAdd(mode="vector", unit=unit, renorm=norm):
            return ("vector", unit, norm)
        case SAEDecodeAdd(sae=sae, mode=mode, unit=unit):
            return ("feature", sae, mode, unit)
        case Ablate(vector=vector, rectified=rectified, renorm=norm):
            return ("ablate", vector is None, rectified, norm)
        case LowRankAdd(down=down, up=up):
            return ("low rank", down, up)
        case _:
            return (type(member).__name__,)


def weights_of(member: SAEDecodeAdd, call: Call | None = None) -> Tensor:
    """Weights of the chosen features, [features]; without a call [steps, features] where they change along the way."""
    weights = torch.tensor(member.weights)
    if member.profile is None:
        return weights
    profile = member.profile.tensor()
    return weights.to(profile) * (profile if call is None else at_step(profile, call.step, call.steps))


def direction(member: AddVector | SAEDecodeAdd | Ablate) -> tuple[object, Tensor]:
    """The vector a member acts along, [width] or [steps, width], and a key equal for equal vectors."""
    if isinstance(member, SAEDecodeAdd):
        decoder = member.sae.decoder.tensor()
        vector = feature_vector(decoder, torch.tensor(member.features), weights_of(member).to(decoder))
        return (member.sae.decoder, member.features, member.weights, member.profile), vector
    assert member.vector is not None
    return member.vector, member.vector.tensor()


def make_edit(rows: Sequence[int], members: Sequence[Intervention], donors: Sequence[Any]) -> Edit:
    """One edit out of members of equal kind; `donors`: one per PatchKV its tensors, one per PatchOutput its row."""
    where, whom = tuple(rows), tuple(members)
    match members[0]:
        case AddVector(unit=unit, renorm=norm):
            return VectorEdit(where, whom, unit, norm, _vectors(whom))
        case SAEDecodeAdd(mode="vector", unit=unit, renorm=norm):
            return VectorEdit(where, whom, unit, norm, _vectors(whom))
        case SAEDecodeAdd(sae=sae, mode=mode, unit=unit):
            return FeatureEdit(where, whom, sae, mode, unit)
        case Ablate(vector=vector, rectified=rectified, renorm=norm):
            return AblateEdit(where, whom, None if vector is None else _vectors(whom), rectified, norm)
        case LowRankAdd(down=down, up=up):
            return LowRankEdit(where, whom, down, up)
        case PatchKV():
            return DonorEdit(where, whom, tuple(donors))
        case PatchOutput():
            return GuestEdit(where, whom, tuple(donors))
        case other:
            raise TypeError(f"{type(other).__name__} does not act on a module's output")


def _vectors(members: Sequence[Any]) -> Vectors:
    keys, tensors = zip(*(direction(member) for member in members), strict=True)
    return Vectors(keys, tensors)
