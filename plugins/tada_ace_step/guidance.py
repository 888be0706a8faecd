"""How predictions of several branches become one velocity, and in which calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from attrs import field, frozen, validators
from torch import Tensor

MOMENTUM = -0.75
LIMIT = 2.5


@frozen
class Guidance:
    """Upstream's options of guidance, under its defaults.

    Attributes:
        kind: "apg" (Sadat et al. 2024), "cfg" (Ho and Salimans 2022) or "cfg_star" (Fan et al. 2025).
        interval: width of the centred window of steps that are guided, as a share of all steps.
        decay: how far the scale has fallen towards `floor` at the window's end, 0 to 1.
        floor: the scale that a full decay ends at.
        text_scale, lyric_scale: both given, guidance is "double condition", with a call on the text alone.
        erg_text, erg_lyric, erg_diffusion: entropy rectifying guidance in the text encoder (counts only together with
            `erg_lyric`), the lyric encoder and the transformer.
    """

    kind: Literal["apg", "cfg", "cfg_star"] = field(default="apg", validator=validators.in_(("apg", "cfg", "cfg_star")))
    interval: float = field(default=0.5, validator=[validators.ge(0.0), validators.le(1.0)])
    decay: float = field(default=0.0, validator=[validators.ge(0.0), validators.le(1.0)])
    floor: float = 3.0
    text_scale: float | None = None
    lyric_scale: float | None = None
    erg_text: bool = True
    erg_lyric: bool = True
    erg_diffusion: bool = True

    @property
    def double(self) -> bool:
        """Whether text and lyrics have a scale of their own."""
        return self.text_scale is not None and self.lyric_scale is not None

    def window(self, steps: int) -> range:
        """The guided calls of a run of `steps` steps."""
        return range(int(steps * (1 - self.interval) / 2), int(steps * (self.interval / 2 + 0.5)))

    def branches(self, call: int, steps: int, scale: float) -> tuple[Literal["cond", "text", "uncond"], ...]:
        """Calls of the denoiser at a call of the sampler, in order."""
        if call not in self.window(steps) or scale in (0.0, 1.0):
            return ("cond",)
        return ("cond", "text", "uncond") if self.double else ("cond", "uncond")

    def scale_at(self, call: int, steps: int, scale: float) -> float:
        """The scale, fallen by its share of the decay."""
        window = self.window(steps)
        if self.decay == 0.0 or len(window) < 2:
            return scale
        return scale - (scale - self.floor) * (call - window.start) / (len(window) - 1) * self.decay


def cfg(cond: Tensor, uncond: Tensor, scale: float) -> Tensor:
    """u + s (c - u) (Ho and Salimans 2022, eq. 6)."""
    return uncond + scale * (cond - uncond)


def cfg_star(cond: Tensor, uncond: Tensor, scale: float, call: int, zero: int = 1) -> Tensor:
    """a u + s (c - a u) with a = <c, u> / |u|^2 per row; zero at the first calls (CFG-Zero*, Fan et al. 2025)."""
    if call <= zero:
        return torch.zeros_like(cond)
    c, u = cond.flatten(1), uncond.flatten(1)
    best = (c * u).sum(1) / (u.square().sum(1) + 1e-8)
    return cfg(cond, best.view(-1, *[1] * (cond.ndim - 1)) * uncond, scale)


def double_condition(cond: Tensor, text: Tensor, uncond: Tensor, text_scale: float, lyric_scale: float) -> Tensor:
    """(1 - a) u + (a - b) t + b c: scale a for the text, b for the lyrics on top of it."""
    return (1 - text_scale) * uncond + (text_scale - lyric_scale) * text + lyric_scale * cond


def apg(cond: Tensor, running: Tensor, scale: float) -> Tensor:
    """c + (s - 1) d, with d the guidance clipped to norm 2.5 and without its part along c (Sadat et al. 2024).

    Args:
        cond: conditional prediction c, [batch, channels, height, frames]; norms are over the last two axes.
        running: the difference c - u with momentum, same shape.
    """
    axes = (-2, -1)
    size = torch.linalg.vector_norm(running, dim=axes, keepdim=True)
    clipped = (running * torch.clamp(LIMIT / size, max=1.0)).double()
    along = torch.nn.functional.normalize(cond.double().flatten(-2), dim=-1).view_as(cond)
    across = clipped - (clipped * along).sum(axes, keepdim=True) * along
    return cond + (scale - 1) * across.to(cond.dtype)


class Guide:
    """One run's guidance: it holds the momentum of APG."""

    def __init__(self, how: Guidance, scale: float, steps: int) -> None:
        self.how, self.scale, self.steps = how, scale, steps
        self._running: Tensor | None = None

    def branches(self, call: int) -> tuple[Literal["cond", "text", "uncond"], ...]:
        """Calls of the denoiser at a call of the sampler."""
        return self.how.branches(call, self.steps, self.scale)

    def combine(self, call: int, made: Mapping[str, Tensor]) -> Tensor:
        """One velocity out of the branches' predictions."""
        cond = made["cond"]
        if len(made) == 1:
            return cond
        how, scale = self.how, self.how.scale_at(call, self.steps, self.scale)
        if how.text_scale is not None and how.lyric_scale is not None:
            return double_condition(cond, made["text"], made["uncond"], how.text_scale, how.lyric_scale)
        if how.kind == "cfg":
            return cfg(cond, made["uncond"], scale)
        if how.kind == "cfg_star":
            return cfg_star(cond, made["uncond"], scale, call)
        difference = cond - made["uncond"]
        self._running = difference if self._running is None else difference + MOMENTUM * self._running
        return apg(cond, self._running, scale)
