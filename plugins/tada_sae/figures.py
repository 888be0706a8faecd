"""How good an autoencoder is: explained variance, dead and dense features."""

from __future__ import annotations

import torch
from attrs import frozen
from jaxtyping import Float
from torch import Tensor

from tada_sae.autoencoder import Autoencoder
from tada_sae.loss import fvu


@frozen
class Figures:
    """All between 0 and 1, but that explained variance may be below.

    Attributes:
        explained: share of the variance that the reconstruction explains.
        dead: share of features that never fire (in training: not for `dead_after` tokens).
        dense: share of features that fire on more tokens than `dense_above`.
    """

    explained: float
    dead: float
    dense: float


@torch.no_grad()
def measure(autoencoder: Autoencoder, h: Float[Tensor, "tokens d"], dense_above: float = 0.1) -> Figures:
    """Figures on tokens that it was not trained on, used per token."""
    was = autoencoder.training
    autoencoder.eval()
    code = autoencoder.encode(h)
    rate = code.fired() / len(h)
    explained = 1 - float(fvu(h, autoencoder.decode(code)))
    autoencoder.train(was)
    return Figures(explained, float((rate == 0).float().mean()), float((rate > dense_above).float().mean()))
