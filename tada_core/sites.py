"""Where in a model an intervention acts: slots, sites, and the layer table an adapter declares."""

from __future__ import annotations

from typing import Literal, get_args

from attrs import field, frozen, validators

from tada_core.errors import SpecError

Slot = Literal["text", "q", "k", "v", "out", "residual", "prompt", "score"]
"""text: text input of a cross-attention block; q, k, v: its projections; out: its output before the residual add;
residual: output of the whole block; prompt: text input of the denoiser; score: the denoiser's prediction."""

SLOTS: tuple[str, ...] = get_args(Slot)
LAYER_SLOTS: tuple[str, ...] = ("text", "q", "k", "v", "out", "residual")

Branch = Literal["cond", "uncond", "text", "both"]
"""Which passes of classifier-free guidance an intervention changes; "text" is the pass that some samplers make with the
prompt but without the lyrics, "both" is every pass there is."""


@frozen
class Site:
    """One addressable place: a slot, and for the slots that live in a layer its index in execution order."""

    slot: Slot = field(validator=validators.in_(SLOTS))
    layer: int | None = None

    def __attrs_post_init__(self) -> None:
        if (self.slot in LAYER_SLOTS) != (self.layer is not None):
            need = "needs a layer" if self.slot in LAYER_SLOTS else "has no layer"
            raise SpecError(f"site '{self.slot}' {need}; write Site('out', 3) or Site('prompt')")

    def __str__(self) -> str:
        return self.slot if self.layer is None else f"{self.slot}[{self.layer}]"


@frozen
class Layer:
    """One text-fed cross-attention layer of a model, as its adapter declares it.

    Attributes:
        index: position in execution order, from 0.
        path: module path of the cross-attention block inside the denoiser.
        block: module path of the transformer block around it (slot "residual").
        width: features of the block's output.
        text_args: names of the cross-attention block's keyword arguments that carry the text and its mask.
        q, k, v: names of the projections below `path`; empty where the network has none of its own.
        prefix: leading tokens that are no audio frames (left out of means over frames).
        stream: which text encoder feeds this layer.
        alias: the name a paper uses for this layer.
    """

    index: int
    path: str
    block: str
    width: int
    text_args: tuple[str, ...] = ("encoder_hidden_states", "attention_mask")
    q: str = "to_q"
    k: str = "to_k"
    v: str = "to_v"
    prefix: int = 0
    stream: str = "text"
    alias: str = ""

    def written(self) -> tuple[Slot, ...]:
        """Slots whose output can be written, in execution order."""
        slots: tuple[Slot, ...] = ("q", "k", "v", "out", "residual")
        return tuple(slot for slot in slots if slot in ("out", "residual") or getattr(self, slot))

    def module(self, slot: str) -> str:
        """Module path at which `slot` of this layer is read and written.

        Raises:
            SpecError: the slot does not live in a layer.
        """
        if slot in ("text", "out"):
            return self.path
        if slot == "residual":
            return self.block
        if slot in ("q", "k", "v"):
            if not getattr(self, slot):
                raise SpecError(f"layer {self.index} has no projection '{slot}'; it has {', '.join(self.written())}")
            return f"{self.path}.{getattr(self, slot)}"
        raise SpecError(f"slot '{slot}' does not live in a layer; layer slots: {', '.join(LAYER_SLOTS)}")
