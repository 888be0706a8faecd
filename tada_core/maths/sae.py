"""TopK sparse autoencoder: encode, decode, and the ways to steer through its features."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor


def activations(
    h: Float[Tensor, "*b d"],
    encoder: Float[Tensor, "d m"],
    bias: Float[Tensor, " m"],
    centre: Float[Tensor, " d"],
) -> Float[Tensor, "*b m"]:
    """ReLU((h - b_dec) W_enc + b_enc): every feature, before TopK."""
    return torch.relu((h - centre) @ encoder + bias)


def encode(
    h: Float[Tensor, "*b d"],
    encoder: Float[Tensor, "d m"],
    bias: Float[Tensor, " m"],
    centre: Float[Tensor, " d"],
    k: int,
) -> Float[Tensor, "*b m"]:
    """f = TopK(ReLU((h - b_dec) W_enc + b_enc)), per token (TADA eq. 4; the paper leaves out ReLU and b_enc)."""
    dense = activations(h, encoder, bias, centre)
    kept = dense.topk(min(k, dense.shape[-1]), dim=-1)
    return torch.zeros_like(dense).scatter(-1, kept.indices, kept.values)


def decode(
    f: Float[Tensor, "*b m"], decoder: Float[Tensor, "m d"], centre: Float[Tensor, " d"]
) -> Float[Tensor, "*b d"]:
    """h^ = f W_dec + b_dec (TADA eq. 5)."""
    return f @ decoder + centre


def feature_vector(
    decoder: Float[Tensor, "m d"], features: Int[Tensor, " t"], weights: Float[Tensor, "*s t"]
) -> Float[Tensor, "*s d"]:
    """The steering vector of some features: the weighted sum of their decoder rows (TADA eq. 7), of every step."""
    return weights @ decoder[features]


def edit_features(
    h: Float[Tensor, "*b d"],
    f: Float[Tensor, "*b m"],
    decoder: Float[Tensor, "m d"],
    push: Float[Tensor, "*#b m"],
) -> Float[Tensor, "*b d"]:
    """Encode, edit, decode, with the reconstruction error kept: h + (f' - f) W_dec, f' = max(f + push, 0).

    Equal to decode(f') + (h - decode(f)); the bias cancels.
    """
    return h + (torch.relu(f + push) - f) @ decoder
