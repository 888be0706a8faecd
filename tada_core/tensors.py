"""Tensors held by content: a spec's JSON carries a digest, the numbers travel in a safetensors file beside it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from tada_core.errors import SpecError

if TYPE_CHECKING:
    from torch import Tensor


def digest(tensor: Tensor) -> str:
    """SHA-256 over dtype, shape and the little-endian bytes of a tensor."""
    import torch

    flat = tensor.detach().cpu().contiguous()
    head = f"{flat.dtype}{tuple(flat.shape)}".encode()
    return hashlib.sha256(head + flat.reshape(-1).view(torch.uint8).numpy().tobytes()).hexdigest()


@frozen
class TensorRef:
    """A tensor named by its content: equal when the numbers are equal, light in JSON.

    Attributes:
        digest: SHA-256 of the content.
        shape: the tensor's shape.
        value: the tensor itself once bound; never part of JSON, equality or hash.
    """

    digest: str
    shape: tuple[int, ...]
    value: Any = field(default=None, eq=False, repr=False)

    @classmethod
    def of(cls, tensor: Tensor) -> TensorRef:
        """A bound reference to `tensor`."""
        return cls(digest(tensor), tuple(tensor.shape), tensor.detach())

    def tensor(self) -> Tensor:
        """The numbers.

        Raises:
            SpecError: the reference came out of JSON and no file was read with it.
        """
        if self.value is None:
            raise SpecError(
                f"tensor {self.digest[:12]} of shape {list(self.shape)} is not loaded; "
                "read the spec with tada_core.load_spec(path), which binds the safetensors file beside it"
            )
        tensor: Tensor = self.value
        return tensor

    def bind(self, tensor: Tensor) -> TensorRef:
        """This reference with its numbers.

        Raises:
            SpecError: the numbers are not the ones the reference names.
        """
        if digest(tensor) != self.digest:
            raise SpecError(f"tensor {self.digest[:12]} does not match its content: the file beside the spec changed")
        return evolve(self, value=tensor)
