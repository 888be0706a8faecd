"""A TopK sparse autoencoder that can be trained, and its exchange with the value that interventions use."""

from __future__ import annotations

from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from tada_core import SparseAutoencoder, TensorRef
from tada_sae.code import Code, encode
from tada_sae.settings import Selection


class Autoencoder(nn.Module):
    """f = TopK(ReLU(W_enc (h - b_dec) + b_enc)), h^ = W_dec f + b_dec (TADA eq. 4, 5).

    The decoder's rows start random and of unit length, the encoder as those rows times a scale. In training mode it
    keeps what `selection` says, in evaluation the k largest of every token.

    Args:
        width: of the activations, d.
        features: of the code, M.
        k: features kept per token.
        selection: see `Selection`.
        encoder_scale: the encoder's rows over the decoder's.
        generator: draws the first rows.
    """

    def __init__(
        self,
        width: int,
        features: int,
        k: int,
        selection: Selection = "batch",
        encoder_scale: float = 0.58,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        rows = nn.functional.normalize(torch.randn(features, width, generator=generator))
        self.k, self.selection = k, selection
        # Both by feature, [features, width]: what a feature reads and writes lies together.
        self.encoder = nn.Parameter(rows * encoder_scale)
        self.encoder_bias = nn.Parameter(torch.zeros(features))
        self.decoder = nn.Parameter(rows)
        self.decoder_bias = nn.Parameter(torch.zeros(width))

    def encode(self, h: Float[Tensor, "tokens d"]) -> Code:
        """The code of some tokens."""
        selection = self.selection if self.training else "token"
        return encode(h, self.encoder, self.encoder_bias, self.decoder_bias, self.k, selection)

    def decode(self, code: Code) -> Float[Tensor, "tokens d"]:
        """What a code stands for."""
        return code.times(self.decoder) + self.decoder_bias

    def forward(self, h: Float[Tensor, "tokens d"]) -> Float[Tensor, "tokens d"]:
        """The reconstruction."""
        return self.decode(self.encode(h))

    @torch.no_grad()
    def normalise(self) -> None:
        """Scale the decoder's rows to unit length."""
        self.decoder.copy_(nn.functional.normalize(self.decoder))

    def value(self) -> SparseAutoencoder:
        """The weights as interventions use them: a copy on the CPU, encoder [width, features]."""
        return SparseAutoencoder(
            encoder=_copy(self.encoder.T),
            encoder_bias=_copy(self.encoder_bias),
            decoder=_copy(self.decoder),
            decoder_bias=_copy(self.decoder_bias),
            k=self.k,
        )

    @classmethod
    def of(cls, value: SparseAutoencoder, selection: Selection = "batch") -> Self:
        """A module with these weights, in evaluation mode."""
        features, width = value.decoder.shape
        made = cls(width, features, value.k, selection)
        weights = (value.encoder, value.encoder_bias, value.decoder, value.decoder_bias)
        names = ("encoder", "encoder_bias", "decoder", "decoder_bias")
        tensors = dict(zip(names, (weight.tensor() for weight in weights), strict=True))
        made.load_state_dict(tensors | {"encoder": tensors["encoder"].T})
        return made.eval()


def _copy(weight: Tensor) -> TensorRef:
    return TensorRef.of(weight.detach().cpu().clone(memory_format=torch.contiguous_format))
