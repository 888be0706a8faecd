"""A shelf of limited size: what was asked for longest ago goes first."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor


class Shelf:
    """Tuples of tensors by key, at most `room` bytes of them."""

    def __init__(self, room: float) -> None:
        self.room, self.used = room, 0
        self.held: OrderedDict[bytes, tuple[Tensor, ...]] = OrderedDict()

    def get(self, key: bytes) -> tuple[Tensor, ...] | None:
        """What is kept under a key, or None."""
        if key in self.held:
            self.held.move_to_end(key)
        return self.held.get(key)

    def put(self, key: bytes, value: tuple[Tensor, ...]) -> None:
        """Keep a value where none is kept, and give up old ones while the room is exceeded."""
        if self.get(key) is not None:
            return
        self.held[key] = value
        self.used += _size(value)
        while self.used > self.room:
            _, lost = self.held.popitem(last=False)
            self.used -= _size(lost)


def _size(value: tuple[Tensor, ...]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in value)
