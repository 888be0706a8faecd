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
    """When an edit is applied: the call, the branch of the rows, and what the module read for them (LowRankAdd's x)."""

    call: Call
    branch: str
    x: Tensor | None = None


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
    """SAEDecodeAdd in its encode-edit-decode form; all members share one autoencoder."""

    sae: SparseAutoencoder

    def apply(self, h: Tensor, active: Sequence[int], gains: Sequence[float], moment: Moment) -> Tensor:
        """h + (f' - f) W_dec with f' = max(f + a w, 0) on the chosen features."""
        names = ("encoder", "encoder_bias", "decoder", "decoder_bias")
        encoder, bias, decoder, centre = (getattr(self.sae, name).tensor().to(h.device, h.dtype) for name in names)
        push = h.new_zeros(len(active), 1, decoder.shape[0])
        for place, (member, a) in enumerate(zip(active, gains, strict=True)):
            chosen: SAEDecodeAdd = self.members[member]
            push[place, 0, list(chosen.features)] = a * h.new_tensor(chosen.weights)
        return edit_features(h, encode(h, encoder, bias, centre, self.sae.k), decoder, push)


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


def kind_of(member: Intervention) -> tuple[object, ...]:
    """Members of equal kind can be computed together."""
    match member:
        case AddVector(unit=unit, renorm=norm):
            return ("vector", unit, norm)
        case SAEDecodeAdd(mode="vector", renorm=norm):
            return ("vector", "raw", norm)
        case SAEDecodeAdd(sae=sae):
            return ("feature", sae)
        case Ablate(vector=vector, rectified=rectified, renorm=norm):
            return ("ablate", vector is None, rectified, norm)
        case LowRankAdd(down=down, up=up):
            return ("low rank", down, up)
        case _:
            return (type(member).__name__,)


def direction(member: AddVector | SAEDecodeAdd | Ablate) -> tuple[object, Tensor]:
    """The vector a member acts along, [width] or [steps, width], and a key equal for equal vectors."""
    if isinstance(member, SAEDecodeAdd):
        decoder = member.sae.decoder.tensor()
        vector = feature_vector(decoder, torch.tensor(member.features), decoder.new_tensor(member.weights))
        return (member.sae.decoder, member.features, member.weights), vector
    assert member.vector is not None
    return member.vector, member.vector.tensor()


def make_edit(rows: Sequence[int], members: Sequence[Intervention], donors: Sequence[dict[str, Tensor]]) -> Edit:
    """One edit out of members of equal kind; `donors` is used by PatchKV alone."""
    where, whom = tuple(rows), tuple(members)
    match members[0]:
        case AddVector(unit=unit, renorm=norm):
            return VectorEdit(where, whom, unit, norm, _vectors(whom))
        case SAEDecodeAdd(mode="vector", renorm=norm):
            return VectorEdit(where, whom, "raw", norm, _vectors(whom))
        case SAEDecodeAdd(sae=sae):
            return FeatureEdit(where, whom, sae)
        case Ablate(vector=vector, rectified=rectified, renorm=norm):
            return AblateEdit(where, whom, None if vector is None else _vectors(whom), rectified, norm)
        case LowRankAdd(down=down, up=up):
            return LowRankEdit(where, whom, down, up)
        case PatchKV():
            return DonorEdit(where, whom, tuple(donors))
        case other:
            raise TypeError(f"{type(other).__name__} does not act on a module's output")


def _vectors(members: Sequence[Any]) -> Vectors:
    keys, tensors = zip(*(direction(member) for member in members), strict=True)
    return Vectors(keys, tensors)
