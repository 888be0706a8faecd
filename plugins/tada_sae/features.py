"""Features of a concept: their activations on both sides, their scores, and the choice of those to steer.

Differs from the paper: a feature whose score is not above zero is never chosen, even where fewer than asked are left.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from attrs import field, frozen, validators
from jaxtyping import Float
from torch import Tensor

from tada_core import SparseAutoencoder
from tada_core.contrast import Statistic
from tada_core.maths.sae import activations, encode

Kind = Literal["dense", "topk"]
"""dense: activations before TopK (published code); topk: only those that TopK keeps."""

Score = Literal["tfidf", "difference", "mean"]
"""Of m+ and m-, a feature's mean activation on either side: m+ log(1 + 1 / (m- + 1e-6)) (TADA eq. 6), m+ - m-, m+."""

Weights = Literal["uniform", "score", "contrastive"]
"""uniform: 1 for every chosen feature (TADA eq. 7); score: in proportion to the scores, 1 on average; contrastive: 1
for those of the positive side, -1 for those that the same rule chooses for the negative side."""

EPSILON = 1e-6
ENTRIES = 2**24
"""Activations held at a time while means are taken."""


@frozen(cache_hash=True)
class Activations(Statistic):
    """Mean over frames of every feature's activation: [2, features], the positive side first.

    Attributes:
        autoencoders: by layer.
        kind: see `Kind`.
    """

    autoencoders: tuple[tuple[int, SparseAutoencoder], ...]
    kind: Kind = field(default="dense", validator=validators.in_(get_args(Kind)))

    def reduce(self, positive: Tensor, negative: Tensor, layer: int) -> Tensor:
        """See `Statistic`; computed where the activations are."""
        sae = dict(self.autoencoders)[layer]
        return torch.stack([self._sum(side.flatten(0, 1), sae) / side.shape[1] for side in (positive, negative)])

    def _sum(self, h: Tensor, sae: SparseAutoencoder) -> Tensor:
        """Over tokens, [features]."""
        encoder, bias, centre = (one.tensor().to(h) for one in (sae.encoder, sae.encoder_bias, sae.decoder_bias))
        total = h.new_zeros(len(bias))
        for part in torch.split(h, max(1, ENTRIES // len(bias))):
            dense = self.kind == "dense"
            f = activations(part, encoder, bias, centre) if dense else encode(part, encoder, bias, centre, sae.k)
            total += f.sum(0)
        return total


def score(means: Float[Tensor, "steps 2 features"], kind: Score = "tfidf") -> Float[Tensor, "steps features"]:
    """How much a feature stands for the positive side; see `Score`."""
    positive, negative = means.unbind(1)
    if kind == "tfidf":
        return positive * torch.log1p(1 / (negative + EPSILON))
    return positive - negative if kind == "difference" else positive


def strongest(scores: Float[Tensor, "steps features"], top: int) -> Float[Tensor, "steps features"]:
    """1 at the `top` largest scores of every step that are above zero, ties going to the lowest feature; else 0."""
    order = scores.sort(dim=-1, descending=True, stable=True).indices[..., :top]
    return torch.zeros_like(scores).scatter(-1, order, 1.0) * (scores > 0)


def weigh(
    means: Float[Tensor, "steps 2 features"], kind: Score, top: int, weights: Weights
) -> tuple[Float[Tensor, "steps features"], Float[Tensor, "steps features"]]:
    """Weights of all features, 0 for those not chosen, and their scores (minus the negative side's where it chose)."""
    scores = score(means, kind)
    chosen = strongest(scores, top)
    if weights == "uniform":
        return chosen, scores
    if weights == "score":
        kept = chosen * scores
        return kept * (chosen.sum(-1, keepdim=True) / kept.sum(-1, keepdim=True).clamp_min(EPSILON)), scores
    opposite = score(means.flip(1), kind)
    balance = chosen - strongest(opposite, top)
    return balance, torch.where(balance < 0, -opposite, scores)
