"""The loss: unexplained variance, and what dead features could explain of the rest.

Differs from the published code: the dead features' reconstruction of the residual leaves out the decoder's bias, which
the residual no longer holds (as in Gao et al., arXiv 2406.04093, appendix A.2).
"""

from __future__ import annotations

import torch
from attrs import frozen
from jaxtyping import Bool, Float
from torch import Tensor

from tada_sae.autoencoder import Autoencoder
from tada_sae.code import Code


@frozen(eq=False)
class Loss:
    """What to minimise, the fraction of variance unexplained in it, and the code it was made with."""

    total: Float[Tensor, ""]
    fvu: Float[Tensor, ""]
    code: Code


def loss(
    autoencoder: Autoencoder,
    h: Float[Tensor, "tokens d"],
    dead: Bool[Tensor, " features"] | None = None,
    auxiliary: float = 1 / 32,
) -> Loss:
    """FVU + auxiliary * AuxK of one batch.

    Args:
        autoencoder: in training mode, its own selection is used.
        h: activations.
        dead: the dead features; None or none of them leaves AuxK out.
        auxiliary: weight of AuxK.
    """
    code = autoencoder.encode(h)
    guess = autoencoder.decode(code)
    unexplained = fvu(h, guess)
    if dead is None or auxiliary == 0 or not bool(dead.any()):
        return Loss(unexplained, unexplained, code)
    residual = (h - guess).detach()
    return Loss(unexplained + auxiliary * auxk(autoencoder, h, residual, dead), unexplained, code)


def fvu(h: Float[Tensor, "tokens d"], guess: Float[Tensor, "tokens d"]) -> Float[Tensor, ""]:
    """Fraction of variance unexplained: |h - h^|^2 over |h - mean(h)|^2, sums over the batch."""
    return (h - guess).square().sum() / variance(h)


def variance(h: Float[Tensor, "tokens d"]) -> Float[Tensor, ""]:
    """|h - mean(h)|^2, summed over the batch."""
    return (h - h.mean(0)).square().sum()


def auxk(
    autoencoder: Autoencoder,
    h: Float[Tensor, "tokens d"],
    residual: Float[Tensor, "tokens d"],
    dead: Bool[Tensor, " features"],
) -> Float[Tensor, ""]:
    """|e - e^|^2 over the variance, e^ from the width / 2 largest dead features of every token.

    Where fewer are dead, all of them are used and the loss is scaled by their number over width / 2 (published code).
    Only the dead rows of the weights are multiplied.
    """
    chosen = dead.nonzero().squeeze(1)
    wanted = max(1, h.shape[1] // 2)
    x = h - autoencoder.decoder_bias
    code = torch.relu(torch.addmm(autoencoder.encoder_bias[chosen], x, autoencoder.encoder[chosen].T))
    if wanted < len(chosen):
        kept = code.topk(wanted, sorted=False)
        code = torch.zeros_like(code).scatter(1, kept.indices, kept.values)
    error = (residual - code @ autoencoder.decoder[chosen]).square().sum()
    return min(1.0, len(chosen) / wanted) * error / variance(h)
