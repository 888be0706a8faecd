"""Gates: how far each layer's output is moved to what it would be under another prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from tada_core import ModelAdapter
from tada_core.engine.forward import Forward, replaced_forward
from tada_core.engine.text import replace_rows
from tada_core.engine.values import first_tensor, with_first


@contextmanager
def gated(
    model: ModelAdapter,
    layers: Sequence[int],
    texts: Mapping[int, Mapping[str, Tensor]],
    gates: Float[Tensor, " layers"],
) -> Iterator[None]:
    """Every layer's output h as h + g (h' - h), h' being what the layer would give reading another text.

    With gates of zero nothing changes, and the gradient of a gate is the effect of patching that layer's text, to first
    order in all that comes after the layer.

    Args:
        model: the adapter; calls of one row are expected.
        layers: whose outputs.
        texts: by layer, its text arguments under the other prompt, one row.
        gates: one per layer.
    """
    with ExitStack() as stack:
        for gate, layer in zip(gates, layers, strict=True):
            module = model.denoiser.get_submodule(model.layer(layer).path)
            stack.enter_context(replaced_forward(module, _wrapper(texts[layer], gate)))
        yield


def _wrapper(text: Mapping[str, Tensor], gate: Tensor) -> Any:
    def wrap(forward: Forward) -> Forward:
        def moved(*args: Any, **kwargs: Any) -> Any:
            output = forward(*args, **kwargs)
            own = first_tensor(output)
            with torch.no_grad():
                other = first_tensor(forward(*args, **replace_rows(_forgetful(kwargs), {0: text})))
                way = other - own
            return with_first(output, own + gate.to(own) * way)

        return moved

    return wrap


def _forgetful(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without the memory of transformers, which would give the other text the keys and values of the own."""
    return {name: None if name.startswith("past_key_value") else value for name, value in kwargs.items()}
