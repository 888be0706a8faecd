"""What both methods need: the prompt is read by every layer, so none can be chosen."""

from __future__ import annotations

from collections.abc import Sequence

from tada_core import ModelAdapter
from tada_core.errors import SpecError


def refuse_some_layers(method: str, model: ModelAdapter, layers: Sequence[int] | None) -> None:
    """Refuse a choice of layers.

    Raises:
        UnknownNameError: a layer that does not exist.
        SpecError: fewer than all layers.
    """
    if len(model.pick(layers)) < len(model.layers):
        raise SpecError(
            f"{method} moves the text that all layers of '{model.name}' read, so it cannot act on some of them; leave "
            "the layers out, or take a method that acts in layers: pci patches their text, freesliders blends their "
            "predictions, caa steers their output"
        )
