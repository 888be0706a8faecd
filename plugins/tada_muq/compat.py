"""muq 0.1.0 beside transformers 5: what its conformer lacks there, given back.

Up to transformers 4 the encoder took any object as its config and returned the input of every layer on request; muq
relies on both. Since 5 it asks the config for the kind of attention, and leaves hidden states to a model around it that
muq does not have. The patch is on one instance: no module of transformers or muq is changed.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

ENCODER = "Wav2Vec2ConformerEncoder"


def repair(model: nn.Module) -> int:
    """Mend every conformer encoder in `model` that needs it; returns how many did."""
    encoders = [module for module in model.modules() if type(module).__name__ == ENCODER]
    return sum(_mend(encoder) for encoder in encoders)


def _mend(encoder: Any) -> bool:
    """Give the encoder an attention implementation and its hidden states, once; False where it has both."""
    if "output_hidden_states" in inspect.signature(encoder.forward).parameters or hasattr(encoder, "_tada_states"):
        return False
    if getattr(encoder.config, "_attn_implementation", None) is None:
        encoder.config._attn_implementation = "eager"
    states: list[Any] = []
    encoder._tada_states = states
    for layer in encoder.layers:
        layer.register_forward_pre_hook(lambda _, args: states.append(args[0]))
    encoder.register_forward_pre_hook(lambda _, __: states.clear())
    encoder.register_forward_hook(_with_states)
    return True


def _with_states(encoder: Any, _: object, output: Any) -> Any:
    """The output with `hidden_states` as transformers 4 had them: the layers' inputs, then the last output."""
    output["hidden_states"] = (*encoder._tada_states, output["last_hidden_state"])
    encoder._tada_states.clear()
    return output
