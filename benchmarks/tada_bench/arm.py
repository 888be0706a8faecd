"""One steered condition of a suite."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from tada_core.convert import texts
from tada_core.errors import SpecError
from tada_core.even import Even

Strengths = tuple[float, ...] | Even
"""Signed strengths, or how to find them."""

Where = str | tuple[int, ...]
"""Which layers an arm steers: one of PLACES, the one at a depth such as "50%", or these."""

PLACES = ("all", "local", "rest")
"""All layers, those that localisation found for the concept, all but those."""

REACH = "reach"
"""Unit of strengths as shares of the one that moves a clip as far as its prompt swap does; any method has it."""


def read_where(value: str | Iterable[int]) -> Where:
    """Layers as they are written; SpecError where they are none."""
    if not isinstance(value, str):
        return tuple(int(layer) for layer in value)
    if value not in PLACES and depth(value) is None:
        raise SpecError(f"layers '{value}': write 'all', 'local', 'rest', a depth as '50%' or a list of layer numbers")
    return value


def depth(where: Where) -> float | None:
    """The share of the way from the first layer to the last that "50%" says; None where it says no such thing."""
    if not isinstance(where, str) or not re.fullmatch(r"\d{1,3}%", where) or int(where[:-1]) > 100:
        return None
    return int(where[:-1]) / 100


def _strengths(values: Iterable[float] | Even) -> Strengths:
    if isinstance(values, Even):
        return values
    strengths = tuple(sorted({0.0, *(float(value) for value in values)}))
    if not all(math.isfinite(value) for value in strengths) or len(strengths) < 2:
        raise SpecError(f"strengths {list(strengths)}: give at least one finite strength that is not 0")
    return strengths


@frozen
class Arm:
    """One steered condition: a method on some layers, swept over strengths.

    Attributes:
        method: registry name.
        layers: "all", "local" (what localisation found for the concept), "rest" (all but those), a depth ("0%" is the
            first layer, "100%" the last) or layer numbers.
        strengths: signed; 0 is always among them and is the unsteered clip, shared by all arms. `Even` finds them:
            evenly spaced in what they change, on either side up to the cut-off.
        unit: unit of the strengths; None is the method's own. In "reach" 1 moves a clip as far as swapping the whole
            prompt does, or as far as the method gets, and strengths are shares of that; it is measured after fitting.
        options: of the method.
        each: further options by concept.
        without: concepts that the method cannot steer.
    """

    method: str
    layers: Where = field(default="all", converter=read_where)
    strengths: Strengths = field(default=(-1.0, 1.0), converter=_strengths)
    unit: str | None = None
    options: Mapping[str, Any] = field(factory=dict)
    each: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    without: tuple[str, ...] = field(default=(), converter=texts)

    def __attrs_post_init__(self) -> None:
        if isinstance(self.strengths, Even) and self.unit is not None:
            raise SpecError(f"arm '{self.name}' finds its strengths, in the method's own unit; leave out '{self.unit}'")

    @property
    def most(self) -> int:
        """How many strengths beside 0 it has at most."""
        return 2 * self.strengths.most if isinstance(self.strengths, Even) else len(self.strengths) - 1

    def options_for(self, concept: str) -> dict[str, Any]:
        """The method's options for a concept."""
        return {**self.options, **self.each.get(concept, {})}

    @property
    def place(self) -> str:
        """The layers in words: "all", "local", "rest", "50%" or "2+3"."""
        return self.layers if isinstance(self.layers, str) else "+".join(map(str, self.layers))

    @property
    def name(self) -> str:
        """What tables call the arm: method, layers and the options that are set."""
        extra = "".join(f" {key}={value}" for key, value in sorted(self.options.items()))
        return f"{self.method} {self.place}{extra}"
