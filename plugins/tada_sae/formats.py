"""Files of other libraries: SAELens (cfg.json, sae_weights.safetensors) and sparsify (cfg.json, sae.safetensors).

Only JSON and safetensors are read, never a pickle. What our equation cannot say (a skip connection, normalised
activations) is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from tada_core import SparseAutoencoder, TensorRef
from tada_core.errors import ArtifactError
from tada_sae.files import CONFIG, demand, kept, read_config, read_tensors, whole, write

SAELENS, SPARSIFY = "sae_weights.safetensors", "sae.safetensors"

LENS_WANTED = {"apply_b_dec_to_input": True, "normalize_activations": "none", "reshape_activations": "none"}
"""What the config of SAELens must say for the autoencoder to be ours; absent fields count as saying so."""

SPARSE_WANTED = dict.fromkeys(("skip_connection", "transcode", "embed_skip", "gram_lookup"), False)
"""The same for sparsify; what it says of training is of no account."""


def write_saelens(sae: SparseAutoencoder, folder: str | Path, metadata: Mapping[str, Any] | None = None) -> Path:
    """Write a folder that SAELens loads with `SAE.load_from_disk`.

    Args:
        sae: the weights.
        folder: made where it is missing.
        metadata: JSON data: which model, which layer.
    """
    features, width = sae.decoder.shape
    config = {
        "architecture": "topk",
        "d_in": width,
        "d_sae": features,
        "k": sae.k,
        "dtype": str(sae.decoder.tensor().dtype).removeprefix("torch."),
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "rescale_acts_by_decoder_norm": False,
        "metadata": dict(metadata or {}),
    }
    encoder, decoder = sae.encoder.tensor(), sae.decoder.tensor()
    biases = {"b_enc": sae.encoder_bias.tensor(), "b_dec": sae.decoder_bias.tensor()}
    return write(Path(folder), SAELENS, config, {"W_enc": encoder, "W_dec": decoder, **biases})


def read_saelens(folder: str | Path) -> SparseAutoencoder:
    """Read a folder of SAELens.

    Where activations are rescaled by the norms of the decoder's rows, the norms go into the encoder, and the rows
    become unit vectors: the same function.

    Raises:
        ArtifactError: a file is missing or damaged, the weights are not as the config says, or it is no TopK
            autoencoder of our form.
    """
    path = Path(folder)
    config = read_config(path, ("architecture", "d_in", "d_sae", "k"))
    demand(path, config, {"architecture": "topk", **LENS_WANTED}, absent=LENS_WANTED)
    d, m = whole(path, config, "d_in"), whole(path, config, "d_sae")
    found = read_tensors(path / SAELENS, {"W_enc": (d, m), "b_enc": (m,), "W_dec": (m, d), "b_dec": (d,)})
    if config.get("rescale_acts_by_decoder_norm", False):
        norm = found["W_dec"].norm(dim=1)
        found |= {
            "W_enc": found["W_enc"] * norm,
            "b_enc": found["b_enc"] * norm,
            "W_dec": found["W_dec"] / norm[:, None],
        }
    return _value(found["W_enc"], found["b_enc"], found["W_dec"], found["b_dec"], kept(path, config, m))


def write_sparsify(sae: SparseAutoencoder, folder: str | Path, hookpoint: str) -> Path:
    """Write one hookpoint (a module path, or any name) of a folder that sparsify loads; the hookpoint's folder."""
    features, width = sae.decoder.shape
    config = {
        "activation": "topk",
        "expansion_factor": max(1, features // width),
        "normalize_decoder": True,
        "num_latents": features,
        "k": sae.k,
        "multi_topk": False,
        "skip_connection": False,
        "transcode": False,
        "d_in": width,
    }
    encoder, decoder = sae.encoder.tensor().T, sae.decoder.tensor()
    biases = {"encoder.bias": sae.encoder_bias.tensor(), "b_dec": sae.decoder_bias.tensor()}
    return write(Path(folder, hookpoint), SPARSIFY, config, {"encoder.weight": encoder, "W_dec": decoder, **biases})


def read_sparsify(folder: str | Path, hookpoint: str) -> SparseAutoencoder:
    """Read one hookpoint of a folder of sparsify, the published autoencoders of TADA among them.

    Raises:
        ArtifactError: no such hookpoint; and as `read_saelens`.
    """
    path = Path(folder, hookpoint)
    if not path.is_dir():
        known = ", ".join(sorted(one.parent.name for one in Path(folder).glob(f"*/{CONFIG}"))) or "none"
        raise ArtifactError(f"no hookpoint '{hookpoint}' in '{folder}'; it has: {known}")
    config = read_config(path, ("d_in", "k"))
    demand(path, config, {"activation": "topk", **SPARSE_WANTED}, absent={"activation", *SPARSE_WANTED})
    d = whole(path, config, "d_in")
    m = whole(path, config, "num_latents") if config.get("num_latents") else d * whole(path, config, "expansion_factor")
    found = read_tensors(
        path / SPARSIFY, {"encoder.weight": (m, d), "encoder.bias": (m,), "W_dec": (m, d), "b_dec": (d,)}
    )
    encoder = found["encoder.weight"].T.contiguous()
    return _value(encoder, found["encoder.bias"], found["W_dec"], found["b_dec"], kept(path, config, m))


def _value(encoder: Tensor, encoder_bias: Tensor, decoder: Tensor, decoder_bias: Tensor, k: int) -> SparseAutoencoder:
    of = TensorRef.of
    return SparseAutoencoder(of(encoder), of(encoder_bias), of(decoder), of(decoder_bias), k)
