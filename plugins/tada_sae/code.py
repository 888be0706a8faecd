"""A sparse code: which features fire at which token and how much, with no tensor of tokens by features kept."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from attrs import evolve, frozen
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding_bag

from tada_sae.selection import select
from tada_sae.settings import Selection


@frozen(eq=False, slots=False)
class Code:
    """Entries in the order of tokens.

    Attributes:
        values: of every entry, at least zero.
        features: of every entry.
        starts: the first entry of every token.
        count: features of the autoencoder.
    """

    values: Float[Tensor, " entries"]
    features: Int[Tensor, " entries"]
    starts: Int[Tensor, " tokens"]
    count: int

    @cached_property
    def _transposed(self) -> tuple[Tensor, Tensor, Tensor]:
        """Entries in the order of features; their tokens; the first entry of every feature."""
        order = torch.sort(self.features, stable=True).indices
        places = torch.arange(len(self.features), device=self.features.device)
        tokens = torch.searchsorted(self.starts, places, right=True) - 1
        firsts = torch.arange(self.count, device=self.features.device)
        return order, tokens[order], torch.searchsorted(self.features[order], firsts)

    def times(self, matrix: Float[Tensor, "count d"]) -> Float[Tensor, "tokens d"]:
        """The code as a matrix [tokens, features] times `matrix`; differentiable in the values and in `matrix`."""
        return embedding_bag(self.features, matrix, self.starts, mode="sum", per_sample_weights=self.values)

    def transposed_times(self, matrix: Float[Tensor, "tokens d"]) -> Float[Tensor, "count d"]:
        """The code transposed, [features, tokens], times `matrix`."""
        order, tokens, starts = self._transposed
        return embedding_bag(tokens, matrix, starts, mode="sum", per_sample_weights=self.values[order])

    def fired(self) -> Tensor:
        """On how many tokens each feature is above zero, int64 [features]."""
        return torch.bincount(self.features[self.values > 0], minlength=self.count)

    def dense(self) -> Float[Tensor, "tokens count"]:
        """As a matrix."""
        ends = torch.cat([self.starts[1:], self.starts.new_tensor([len(self.values)])])
        tokens = torch.repeat_interleave(torch.arange(len(self.starts), device=ends.device), ends - self.starts)
        return self.values.new_zeros(len(self.starts), self.count).index_put((tokens, self.features), self.values)


def encode(
    h: Float[Tensor, "tokens d"],
    encoder: Float[Tensor, "count d"],
    encoder_bias: Float[Tensor, " count"],
    centre: Float[Tensor, " d"],
    k: int,
    selection: Selection,
) -> Code:
    """f = TopK(ReLU(W_enc (h - b_dec) + b_enc)); only the product with the encoder is dense.

    Differentiable in the weights, not in `h`.
    """
    with torch.no_grad():
        x = h - centre
        values, features, starts = select(torch.addmm(encoder_bias, x, encoder.T), k, selection)
        found = Code(values.relu(), features, starts, len(encoder))
    values = _Values.apply(x, encoder, encoder_bias, centre, found)  # type: ignore[no-untyped-call]
    return evolve(found, values=values)


class _Values(torch.autograd.Function):
    """The values of a code, with the gradient of the weights they came from."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, encoder: Tensor, encoder_bias: Tensor, centre: Tensor, found: Code) -> Tensor:
        ctx.found = found
        ctx.save_for_backward(x, encoder)
        return found.values.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, encoder = ctx.saved_tensors
        found: Code = ctx.found
        # The transposed order depends on places alone, so it is sorted once and not for the gradient's code again.
        order, tokens, starts = found._transposed
        values = torch.where(found.values > 0, grads[0], 0.0)[order]
        to_encoder = embedding_bag(tokens, x, starts, mode="sum", per_sample_weights=values)
        to_bias = embedding_bag(tokens, torch.ones_like(x[:, :1]), starts, mode="sum", per_sample_weights=values)[:, 0]
        return None, to_encoder, to_bias, -(to_bias @ encoder), None
