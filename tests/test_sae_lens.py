"""Side by side with SAELens: files both ways, and its trainer. It needs an environment of its own, see docs/sae.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tada_core import SparseAutoencoder, TensorRef
from tada_core.maths.sae import decode, encode
from tada_sae.formats import read_saelens, write_saelens

sae_lens: Any = pytest.importorskip(
    "sae_lens", reason="sae-lens is not installed; docs/sae.md says how to run this in an environment of its own"
)

WIDTH, FEATURES, K = 16, 64, 5


@pytest.fixture
def h() -> Tensor:
    return torch.randn(200, WIDTH, generator=torch.Generator().manual_seed(1))


def ours() -> SparseAutoencoder:
    draw = torch.Generator().manual_seed(0)
    shapes = ((WIDTH, FEATURES), (FEATURES,), (FEATURES, WIDTH), (WIDTH,))
    return SparseAutoencoder(*(TensorRef.of(torch.randn(shape, generator=draw)) for shape in shapes), k=K)


def coded(sae: SparseAutoencoder, h: Tensor) -> tuple[Tensor, Tensor]:
    """Features and reconstruction, by our equations."""
    encoder, bias, decoder, centre = (
        one.tensor() for one in (sae.encoder, sae.encoder_bias, sae.decoder, sae.decoder_bias)
    )
    code = encode(h, encoder, bias, centre, sae.k)
    return code, decode(code, decoder, centre)


def theirs(made: Any, h: Tensor) -> tuple[Tensor, Tensor]:
    """The same by SAELens."""
    with torch.no_grad():
        code = made.encode(h)
        code = code.to_dense() if code.is_sparse else code
        return code, made.decode(code)


def equal(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> None:
    """Features and reconstruction, bit for bit."""
    assert int((one[0] > 0).sum()) > len(one[0])
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])


def test_saelens_loads_what_we_write(h: Tensor, tmp_path: Path) -> None:
    sae = ours()
    made = sae_lens.SAE.load_from_disk(write_saelens(sae, tmp_path / "a", {"model": "tiny"}))
    assert (made.cfg.architecture(), made.cfg.k, made.cfg.d_sae) == ("topk", K, FEATURES)
    names = ("W_enc", "b_enc", "W_dec", "b_dec")
    for name, own in zip(names, (sae.encoder, sae.encoder_bias, sae.decoder, sae.decoder_bias), strict=True):
        assert torch.equal(getattr(made, name), own.tensor()), name
    equal(coded(sae, h), theirs(made, h))


def random_weights(made: Any) -> Any:
    draw = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return made.eval()


def test_we_read_what_saelens_saves(h: Tensor, tmp_path: Path) -> None:
    config = sae_lens.TopKSAEConfig(d_in=WIDTH, d_sae=FEATURES, k=K)
    made = random_weights(sae_lens.TopKSAE(config))
    made.save_model(tmp_path / "a")
    read = read_saelens(tmp_path / "a")
    assert torch.equal(read.encoder.tensor(), made.W_enc)
    equal(coded(read, h), theirs(made, h))
    assert read_saelens(write_saelens(read, tmp_path / "b")) == read


@pytest.mark.parametrize("rescale", [True, False])
def test_we_read_what_saelens_trained(rescale: bool, h: Tensor, tmp_path: Path) -> None:
    """Saved for inference: there it makes the rows unit vectors, and goes on to multiply by their norms of nearly 1."""
    config = sae_lens.TopKTrainingSAEConfig(d_in=WIDTH, d_sae=FEATURES, k=K, rescale_acts_by_decoder_norm=rescale)
    made = random_weights(sae_lens.TopKTrainingSAE(config))
    made.save_inference_model(tmp_path / "a")
    found, loaded = coded(read_saelens(tmp_path / "a"), h), sae_lens.SAE.load_from_disk(tmp_path / "a")
    if not rescale:
        equal(found, theirs(loaded, h))
    for other in (theirs(loaded, h), theirs(made, h)):
        assert torch.equal(found[0] > 0, other[0] > 0)
        assert torch.allclose(found[0], other[0], rtol=1e-5, atol=1e-5)
        assert torch.allclose(found[1], other[1], rtol=1e-4, atol=1e-4)
