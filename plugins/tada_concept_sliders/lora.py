"""A LoRA inside a network for as long as it is trained; after that the network is what it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from attrs import frozen
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from tada_concept_sliders.artifact import key
from tada_core.errors import SpecError

NAME = "default"
"""peft's name of the only adapter."""


@frozen(eq=False)
class Lora:
    """The adapter's layers, by the path of their projection."""

    layers: Mapping[str, LoraLayer]

    def sides(self) -> dict[str, nn.Parameter]:
        """The matrices that are trained, under the names they are saved by."""
        return {
            key(path, side): getattr(layer, f"lora_{side}")[NAME].weight
            for path, layer in self.layers.items()
            for side in "AB"
        }

    def tensors(self) -> dict[str, Tensor]:
        """Copies of the matrices, on the CPU."""
        return {name: side.detach().cpu().clone() for name, side in self.sides().items()}

    @contextmanager
    def off(self) -> Iterator[None]:
        """The network as it is without the adapter."""
        for layer in self.layers.values():
            layer.enable_adapters(False)
        try:
            yield
        finally:
            for layer in self.layers.values():
                layer.enable_adapters(True)


@contextmanager
def injected(network: nn.Module, paths: Sequence[str], rank: int, alpha: float, seed: int) -> Iterator[Lora]:
    """A fresh LoRA on some projections, taken out again whatever happens.

    Its lower half is drawn from `seed`, its upper half is zero: at first it changes nothing. It is kept in float32 at
    least, since steps of the optimiser are lost in half precision.

    Raises:
        SpecError: the network carries an adapter already.
    """
    if hasattr(network, "peft_config"):
        raise SpecError("this network carries an adapter of peft's already; unload that before a slider is trained")
    own = {path: network.get_submodule(path) for path in paths}
    trainable = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    try:
        # peft says int, and computes with any number.
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=list(paths))  # type: ignore[arg-type]
        yield _inject(network, paths, config, seed)
    finally:
        # peft's own unload needs a whole adapter; this mends a half injected one too.
        for path, module in own.items():
            network.set_submodule(path, module)
        vars(network).pop("peft_config", None)
        for parameter, wanted in trainable:
            parameter.requires_grad_(wanted)


def _inject(network: nn.Module, paths: Sequence[str], config: LoraConfig, seed: int) -> Lora:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        inject_adapter_in_model(config, network, NAME)
    layers = {path: network.get_submodule(path) for path in paths}
    made = Lora({path: layer for path, layer in layers.items() if isinstance(layer, LoraLayer)})
    for side in made.sides().values():
        side.data = side.data.to(torch.promote_types(side.dtype, torch.float32))
    return made
