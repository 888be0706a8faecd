"""Sparse autoencoders in the files of other libraries: names, shapes, fields, round trips, and what is refused."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tada_core import SparseAutoencoder, TensorRef
from tada_core.errors import ArtifactError
from tada_core.maths.sae import decode, encode
from tada_sae.autoencoder import Autoencoder
from tada_sae.command import Layout, convert_sae
from tada_sae.formats import read_saelens, read_sparsify, write_saelens, write_sparsify

WIDTH, FEATURES, K = 6, 18, 4
POINT = "transformer_blocks.6.cross_attn"


@pytest.fixture
def sae() -> SparseAutoencoder:
    draw = torch.Generator().manual_seed(3)
    shapes = ((WIDTH, FEATURES), (FEATURES,), (FEATURES, WIDTH), (WIDTH,))
    weights = (TensorRef.of(torch.randn(shape, generator=draw)) for shape in shapes)
    return SparseAutoencoder(*weights, k=K)


def lens(sae: SparseAutoencoder, folder: Path) -> Path:
    return write_saelens(sae, folder, {"model": "tiny"})


def sparse(sae: SparseAutoencoder, folder: Path) -> Path:
    return write_sparsify(sae, folder, POINT)


def read_sparse(folder: Path) -> SparseAutoencoder:
    return read_sparsify(folder.parent, folder.name)


BOTH = pytest.mark.parametrize(("write", "read"), [(lens, read_saelens), (sparse, read_sparse)])
Write, Read = Callable[..., Path], Callable[[Path], SparseAutoencoder]


@BOTH
def test_a_round_trip_keeps_every_bit(sae: SparseAutoencoder, write: Write, read: Read, tmp_path: Path) -> None:
    again = read(write(sae, tmp_path / "a"))
    assert again == sae
    assert torch.equal(again.encoder.tensor(), sae.encoder.tensor())


def test_a_trained_module_as_value_and_back() -> None:
    made = Autoencoder(WIDTH, FEATURES, K)
    made.encoder_bias.data.normal_()
    h = torch.randn(20, WIDTH)
    value = made.value()
    again = Autoencoder.of(value)
    assert again.value() == value
    assert torch.equal(again(h), made.eval()(h))
    code = encode(h, value.encoder.tensor(), value.encoder_bias.tensor(), value.decoder_bias.tensor(), K)
    assert torch.allclose(made.encode(h).dense(), code, atol=1e-6)
    assert torch.allclose(made(h), decode(code, value.decoder.tensor(), value.decoder_bias.tensor()), atol=1e-5)
    made.decoder.data.zero_()
    assert value.decoder.tensor().any(), "the value changes with the module"


def test_saelens_layout(sae: SparseAutoencoder, tmp_path: Path) -> None:
    folder = lens(sae, tmp_path / "a")
    weights = load_file(folder / "sae_weights.safetensors")
    shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
    assert shapes == {"W_enc": (6, 18), "W_dec": (18, 6), "b_enc": (18,), "b_dec": (6,)}
    assert torch.equal(weights["W_enc"], sae.encoder.tensor())
    assert json.loads((folder / "cfg.json").read_text()) == {
        "architecture": "topk",
        "d_in": 6,
        "d_sae": 18,
        "k": 4,
        "dtype": "float32",
        "apply_b_dec_to_input": True,
        "normalize_activations": "none",
        "rescale_acts_by_decoder_norm": False,
        "metadata": {"model": "tiny"},
    }


def test_sparsify_layout(sae: SparseAutoencoder, tmp_path: Path) -> None:
    sparse(sae, tmp_path)
    weights = load_file(tmp_path / POINT / "sae.safetensors")
    shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
    assert shapes == {"encoder.weight": (18, 6), "encoder.bias": (18,), "W_dec": (18, 6), "b_dec": (6,)}
    assert torch.equal(weights["encoder.weight"].T, sae.encoder.tensor())
    config = json.loads((tmp_path / POINT / "cfg.json").read_text())
    assert (config["d_in"], config["num_latents"], config["expansion_factor"], config["k"]) == (6, 18, 3, 4)
    assert config["normalize_decoder"] is True
    assert not (config["skip_connection"] or config["transcode"] or config["multi_topk"])


def test_sparsify_counts_features_by_expansion_where_it_has_no_number(sae: SparseAutoencoder, tmp_path: Path) -> None:
    folder = sparse(sae, tmp_path)
    config = json.loads((folder / "cfg.json").read_text())
    plain = {"expansion_factor": 3, "num_latents": 0, "k": 4, "d_in": 6, "multi_topk": True}
    (folder / "cfg.json").write_text(json.dumps(plain))
    assert config["activation"] == "topk"
    assert read_sparse(folder) == sae


def test_tied_weights_are_saved(tmp_path: Path) -> None:
    rows, bias, centre = torch.randn(FEATURES, WIDTH), torch.zeros(FEATURES), torch.zeros(WIDTH)
    tied = SparseAutoencoder(*map(TensorRef.of, (rows.T, bias, rows, centre)), k=2)
    assert read_sparse(sparse(tied, tmp_path)) == tied


@BOTH
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"k": 0}, "k = 0"),
        ({"k": 19}, "k = 19 of 18"),
        ({"k": "many"}, "k = 'many'"),
        ({"k": None}, "k = None"),
        ({"d_in": 7}, "the config says"),
    ],
)
def test_configs_that_do_not_fit(
    sae: SparseAutoencoder, write: Write, read: Read, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    folder = write(sae, tmp_path / "a")
    edit(folder, change)
    with pytest.raises(ArtifactError, match=words):
        read(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "standard"},
        {"apply_b_dec_to_input": False},
        {"normalize_activations": "layer_norm"},
        {"reshape_activations": "hook_z"},
    ],
)
def test_saelens_of_another_form_is_refused(sae: SparseAutoencoder, tmp_path: Path, change: dict[str, Any]) -> None:
    folder = lens(sae, tmp_path / "a")
    edit(folder, change)
    with pytest.raises(ArtifactError, match=next(iter(change))):
        read_saelens(folder)


def test_saelens_rescaled_by_the_norms_of_the_rows_is_the_same_function(sae: SparseAutoencoder, tmp_path: Path) -> None:
    folder, h = lens(sae, tmp_path / "a"), torch.randn(30, WIDTH)
    edit(folder, {"rescale_acts_by_decoder_norm": True})
    encoder, bias, decoder, centre = (
        one.tensor() for one in (sae.encoder, sae.encoder_bias, sae.decoder, sae.decoder_bias)
    )
    norm = decoder.norm(dim=1)
    active = torch.relu(((h - centre) @ encoder + bias) * norm)
    active = torch.where(active >= active.topk(K).values[:, -1:], active, 0.0)
    read = Autoencoder.of(read_saelens(folder))
    assert torch.allclose(read(h), (active / norm) @ decoder + centre, atol=1e-4)
    assert not torch.allclose(Autoencoder.of(sae)(h), read(h), atol=1e-2)


@pytest.mark.parametrize("change", [{"activation": "groupmax"}, {"skip_connection": True}, {"transcode": True}])
def test_sparsify_of_another_form_is_refused(sae: SparseAutoencoder, tmp_path: Path, change: dict[str, Any]) -> None:
    folder = sparse(sae, tmp_path)
    edit(folder, change)
    with pytest.raises(ArtifactError, match=next(iter(change))):
        read_sparse(folder)


@BOTH
def test_damaged_files_are_named(sae: SparseAutoencoder, write: Write, read: Read, tmp_path: Path) -> None:
    folder = write(sae, tmp_path / "a")
    (weights,) = folder.glob("*.safetensors")
    whole = load_file(weights)
    save_file({**whole, "W_skip": torch.zeros(2)}, weights)
    with pytest.raises(ArtifactError, match="W_skip"):
        read(folder)
    save_file({**whole, "b_dec": torch.zeros(5)}, weights)
    with pytest.raises(ArtifactError, match=r"b_dec has shape \[5\]"):
        read(folder)
    weights.write_bytes(pickle.dumps(whole))
    with pytest.raises(ArtifactError, match=weights.name):
        read(folder)
    weights.unlink()
    with pytest.raises(ArtifactError, match=weights.name):
        read(folder)
    for text, words in (("{", "cannot read"), ("[]", "no JSON object"), ('{"d_in": 6}', "lacks")):
        (folder / "cfg.json").write_text(text)
        with pytest.raises(ArtifactError, match=words):
            read(folder)
    (folder / "cfg.json").unlink()
    with pytest.raises(ArtifactError, match=r"cfg\.json"):
        read(folder)


def test_a_hookpoint_that_is_not_there(sae: SparseAutoencoder, tmp_path: Path) -> None:
    sparse(sae, tmp_path)
    with pytest.raises(ArtifactError, match=rf"it has: {POINT}"):
        read_sparsify(tmp_path, "layers.7")


def edit(folder: Path, change: dict[str, Any]) -> None:
    path = folder / "cfg.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))


def test_the_command_converts_there_and_back(sae: SparseAutoencoder, tmp_path: Path) -> None:
    write_saelens(sae, tmp_path / "lens")
    convert_sae(tmp_path / "lens", tmp_path / "sparse", Layout.SPARSIFY, "layer6")
    assert read_sparsify(tmp_path / "sparse", "layer6") == sae
    convert_sae(tmp_path / "sparse", tmp_path / "again", Layout.SAELENS, "layer6")
    assert read_saelens(tmp_path / "again") == sae
    with pytest.raises(ArtifactError, match="no hookpoint 'layer7'"):
        convert_sae(tmp_path / "sparse", tmp_path / "no", Layout.SAELENS, "layer7")
