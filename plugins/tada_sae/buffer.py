"""A shuffle buffer: tokens go in as clips are made, batches of tokens from many clips come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


class ShuffleBuffer:
    """Holds `size` tokens; whenever it is full, a random batch leaves it. On the CPU, in float32.

    Args:
        size: tokens held, at least a batch.
        batch: tokens of a batch.
        width: of a token.
        seed: of the draws.
    """

    def __init__(self, size: int, batch: int, width: int, seed: int) -> None:
        self.batch, self.count = batch, 0
        self._held = torch.zeros(size, width)
        self._draw = torch.Generator().manual_seed(seed)

    def push(self, tokens: Float[Tensor, "tokens d"]) -> Iterator[Tensor]:
        """Put tokens in; every batch that has to leave for them. To be read to its end."""
        while len(tokens):
            room = len(self._held) - self.count
            part, tokens = tokens[:room], tokens[room:]
            self._held[self.count : self.count + len(part)] = part
            self.count += len(part)
            if self.count == len(self._held):
                yield self._leave()

    def drain(self) -> Iterator[Tensor]:
        """Whole batches of what is left; fewer tokens than a batch stay."""
        while self.count >= self.batch:
            yield self._leave()

    def _leave(self) -> Tensor:
        """A random batch; the last tokens move into its places."""
        chosen = torch.randperm(self.count, generator=self._draw)[: self.batch]
        batch, kept = self._held[chosen], self.count - self.batch
        stays = torch.ones(self.count, dtype=torch.bool)
        stays[chosen] = False
        holes = (~stays[:kept]).nonzero().squeeze(1)
        self._held[holes] = self._held[kept : self.count][stays[kept:]]
        self.count = kept
        return batch

    def state_dict(self) -> dict[str, Any]:
        """A copy of the tokens held, and the generator."""
        return {"held": self._held[: self.count].clone(), "draw": self._draw.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.count = len(state["held"])
        self._held[: self.count] = state["held"]
        self._draw.set_state(state["draw"])
