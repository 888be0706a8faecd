"""Where a model's parts are: on the device, or on the CPU but for the one at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from attrs import field, frozen
from torch import nn


@frozen
class Placement:
    """Device of a model made of several networks.

    Attributes:
        device: where work is done.
        offload: whether parts that rest wait on the CPU.
    """

    device: torch.device = field(converter=torch.device)
    offload: bool = False

    def settle(self, *parts: nn.Module) -> None:
        """Put parts where they rest."""
        for part in parts:
            part.to("cpu" if self.offload else self.device)

    @contextmanager
    def at_work(self, *parts: nn.Module) -> Iterator[None]:
        """Parts on the device, as long as the block lasts."""
        for part in parts:
            part.to(self.device)
        try:
            yield
        finally:
            self.settle(*parts)
