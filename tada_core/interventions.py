"""Interventions: pure data that says what to change, where, when and on which branch. Their maths is in `maths/`.

Every prompt inside an intervention may hold `{p}`, which stands for the base prompt of the row it runs in.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

from attrs import field, frozen, validators
from attrs.converters import optional

from tada_core.errors import SpecError
from tada_core.schedule import ALWAYS, Schedule
from tada_core.sites import Branch, Site
from tada_core.tensors import TensorRef

_branch = validators.in_(get_args(Branch))


def _layers(layers: object) -> tuple[int, ...]:
    values = (layers,) if isinstance(layers, int) else tuple(layers)  # type: ignore[arg-type]
    if not values:
        raise SpecError("an intervention needs at least one layer")
    return tuple(sorted(set(values)))


def _finite(_: object, attribute: object, value: float) -> None:
    if not math.isfinite(value):
        raise SpecError(f"strength must be a finite number, not {value}")


def _strength(default: float | None = None) -> Any:
    if default is None:
        return field(converter=float, validator=_finite)
    return field(default=default, converter=float, validator=_finite)


@frozen
class PatchText:
    """Give layers another prompt's text input and mask (TADA sect. 3): K and V follow.

    Both branches by default, each with the donor's own input of that branch.
    """

    donor: str
    layers: tuple[int, ...] = field(converter=_layers)
    branch: Branch = field(default="both", validator=_branch)
    schedule: Schedule = ALWAYS


@frozen
class PatchKV:
    """Give layers another prompt's keys and values; needs donor and host text of the same token length."""

    donor: str
    layers: tuple[int, ...] = field(converter=_layers)
    slots: tuple[Literal["k", "v"], ...] = ("k", "v")
    branch: Branch = field(default="both", validator=_branch)
    schedule: Schedule = ALWAYS


@frozen
class PatchOutput:
    """Give layers the output they have in another prompt's run, at the same step and branch: activation patching.

    The donor is run beside its host, on the same seed and settings, without interventions of its own; a donor that is
    in the batch already is not run twice.
    """

    donor: str
    layers: tuple[int, ...] = field(converter=_layers)
    branch: Branch = field(default="both", validator=_branch)
    schedule: Schedule = ALWAYS


@frozen
class AddVector:
    """Add a direction at a site (CAA, TADA eq. 3): h' = ReNorm(h + a v, h).

    Attributes:
        site: a layer's slot.
        vector: [width], or [steps, width] with one vector per step (interpolated to another number of steps).
        strength: a, signed.
        unit: "raw" adds a v; "norm" adds a |h| v, with |h| the norm of each frame; "scale" multiplies by 1 + a v,
            feature by feature.
        renorm: scale every frame back to its own norm.
    """

    site: Site
    vector: TensorRef
    strength: float = _strength()
    unit: Literal["raw", "norm", "scale"] = field(default="raw", validator=validators.in_(("raw", "norm", "scale")))
    renorm: bool = True
    branch: Branch = field(default="cond", validator=_branch)
    schedule: Schedule = ALWAYS


@frozen
class SparseAutoencoder:
    """Weights of a TopK sparse autoencoder (TADA eq. 4): f = TopK(ReLU(W_enc (h - b_dec) + b_enc)).

    Attributes:
        encoder: [width, features]; encoder_bias: [features].
        decoder: [features, width]; decoder_bias: [width].
        k: features kept per token.
    """

    encoder: TensorRef
    encoder_bias: TensorRef
    decoder: TensorRef
    decoder_bias: TensorRef
    k: int = field(validator=validators.ge(1))


@frozen
class SAEDecodeAdd:
    """Steer through features of a sparse autoencoder (TADA eq. 7, 8).

    Attributes:
        features: indices of the chosen features.
        weights: one weight per feature.
        mode: "vector" adds a times the weighted sum of decoder rows; "edit" encodes h, adds a times the weights
            to the features' activations (never below zero) and decodes, keeping the reconstruction error;
            "multiplicative" does the same with the activations times 1 + a times the weights.
        unit: "raw" adds a times the weights; "norm" a |h| times the weights, with |h| the norm of each frame
            ("multiplicative" is relative as it is, and knows no unit).
        renorm: scale every frame back to its own norm (only the "vector" form of TADA v2 does).
        profile: [steps, features], what the weights are multiplied by at every step (interpolated to another number
            of steps); None for the same weights all along.
    """

    site: Site
    sae: SparseAutoencoder
    features: tuple[int, ...]
    weights: tuple[float, ...]
    strength: float = _strength()
    mode: Literal["vector", "edit", "multiplicative"] = field(
        default="vector", validator=validators.in_(("vector", "edit", "multiplicative"))
    )
    unit: Literal["raw", "norm"] = field(default="raw", validator=validators.in_(("raw", "norm")))
    renorm: bool = True
    profile: TensorRef | None = None
    branch: Branch = field(default="cond", validator=_branch)
    schedule: Schedule = ALWAYS

    def __attrs_post_init__(self) -> None:
        if len(self.features) != len(self.weights) or not self.features:
            raise SpecError(f"{len(self.features)} features but {len(self.weights)} weights; give one weight each")
        known = self.sae.decoder.shape[0]
        if max(self.features) >= known or min(self.features) < 0:
            raise SpecError(f"feature {max(self.features)} does not exist; the autoencoder has 0 to {known - 1}")
        if self.profile is not None and self.profile.shape[1:] != (len(self.features),):
            wanted = f"[steps, {len(self.features)}], one column per feature"
            raise SpecError(f"the profile has shape {list(self.profile.shape)}, it must have {wanted}")


@frozen
class Ablate:
    """Remove a site's output (no vector), or only its component along a direction: h - a <h, v> v / |v|^2.

    Attributes:
        rectified: change only frames that point along the direction (CASteer's removal).
        renorm: scale every frame back to its own norm.
    """

    site: Site
    vector: TensorRef | None = None
    strength: float = _strength(1.0)
    rectified: bool = False
    renorm: bool = False
    branch: Branch = field(default="both", validator=_branch)
    schedule: Schedule = ALWAYS


@frozen
class LowRankAdd:
    """A LoRA on one projection, for one row: y + a up(down(x)), x what the projection reads and y what it gives.

    Attributes:
        site: slot q, k or v of a layer.
        down: [rank, features of x]; up: [features of y, rank], alpha / rank already in it.
    """

    site: Site
    down: TensorRef
    up: TensorRef
    strength: float = _strength()
    branch: Branch = field(default="both", validator=_branch)
    schedule: Schedule = ALWAYS

    def __attrs_post_init__(self) -> None:
        if self.site.slot not in ("q", "k", "v"):
            raise SpecError(f"LowRankAdd acts on a projection: slot q, k or v, not '{self.site}'")
        if self.down.shape[0] != self.up.shape[-1]:
            raise SpecError(f"LowRankAdd has rank {self.down.shape[0]} below and {self.up.shape[-1]} above")


@frozen
class ShiftTokens:
    """Move the text embedding of one word's tokens along a direction: c' = c + a v there.

    Attributes:
        word: one or several, as they stand in the row's prompt; every place where they occur is moved. "{p}" is every
            token of the base prompt.
        vector: [width of the text].
    """

    word: str
    vector: TensorRef
    strength: float = _strength()
    branch: Branch = field(default="cond", validator=_branch)
    schedule: Schedule = ALWAYS


@frozen
class SwitchPrompt:
    """Use another prompt inside the schedule's window (PCI): the whole text input of the denoiser is replaced."""

    prompt: str
    schedule: Schedule = ALWAYS
    branch: Branch = field(default="both", validator=_branch)


@frozen
class ShiftPrompt:
    """Move the text embedding along the difference of two prompts: c' = c + a (E(positive) - E(negative))."""

    positive: str
    negative: str
    strength: float = _strength()
    branch: Branch = field(default="cond", validator=_branch)
    schedule: Schedule = ALWAYS


@frozen
class BlendScore:
    """Add a difference of predictions (FreeSliders): v' = v + a (v(positive) - v(negative)), two extra passes.

    Attributes:
        layers: in the extra passes these layers alone read the two prompts, and all else the row's own (None: all
            layers, and wherever else the text enters).
    """

    positive: str
    negative: str
    strength: float = _strength()
    schedule: Schedule = ALWAYS
    layers: tuple[int, ...] | None = field(default=None, converter=optional(_layers))


Intervention = (
    PatchText
    | PatchKV
    | PatchOutput
    | AddVector
    | SAEDecodeAdd
    | Ablate
    | LowRankAdd
    | ShiftTokens
    | SwitchPrompt
    | ShiftPrompt
    | BlendScore
)


def sites_of(intervention: Intervention) -> tuple[Site, ...]:
    """Every site an intervention touches, in no particular order."""
    match intervention:
        case PatchText(layers=layers):
            return tuple(Site("text", layer) for layer in layers)
        case PatchKV(layers=layers, slots=slots):
            return tuple(Site(slot, layer) for layer in layers for slot in slots)
        case PatchOutput(layers=layers):
            return tuple(Site("out", layer) for layer in layers)
        case AddVector(site=site) | SAEDecodeAdd(site=site) | Ablate(site=site) | LowRankAdd(site=site):
            return (site,)
        case SwitchPrompt() | ShiftPrompt() | ShiftTokens():
            return (Site("prompt"),)
        case BlendScore(layers=chosen):
            return (Site("score"), *(Site("text", layer) for layer in chosen or ()))


def donors_of(intervention: Intervention) -> tuple[str, ...]:
    """Templates of the other prompts an intervention needs: their text input, or their run (PatchOutput)."""
    match intervention:
        case PatchText(donor=donor) | PatchKV(donor=donor) | PatchOutput(donor=donor):
            return (donor,)
        case SwitchPrompt(prompt=prompt):
            return (prompt,)
        case ShiftPrompt(positive=positive, negative=negative) | BlendScore(positive=positive, negative=negative):
            return (positive, negative)
        case _:
            return ()
