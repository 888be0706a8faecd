"""MuQ-MuLan: windows, texts and similarities as the library has them; what would fail in silence is refused.

Tests marked `real` run on package muq's own classes where it is installed:
`PYTHONPATH=. pytest -p benchmarks.golden.standins tests/test_muq.py`
"""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import muq_small
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import tada_muq.metric as module
from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.errors import CheckpointError, MissingExtraError, SpecError
from tada_core.testing import check_metric
from tada_core.weights import find_beside, find_weights, sha256
from tada_muq import tada_metrics
from tada_muq.compat import repair
from tada_muq.metric import MuQ
from tada_muq.mulan import RATE, MuLan, load
from tada_muq.network import build, check_tokenizer
from tada_muq.tensors import fill, read
from tada_muq.windows import windows

GOLDEN = Path(__file__).parent / "golden" / "muq"
ABOUT = json.loads((GOLDEN / "about.json").read_text())
TEMPO = Concept("tempo", "{p}, fast", "{p}, slow", ("a tune",), ("a song",), queries={"": "a fast track"})
real = pytest.mark.skipif(find_spec("muq") is None, reason="package muq is not installed")


@pytest.fixture(scope="module")
def golden():
    return load_file(GOLDEN / "numbers.safetensors")


class Towers:
    """A network of muq's shape: a window's embedding is its mean, loudness and roughness, of norm 1."""

    def __init__(self, rate=RATE):
        self.sr, self.clip_secs, self.mulan_module = rate, 10, self
        self.heard, self.read = [], []

    def get_audio_latents(self, wavs):
        self.heard.append(wavs)
        rough = wavs.diff(dim=-1)
        found = torch.stack([wavs.mean(-1), wavs.square().mean(-1).sqrt(), rough.square().mean(-1).sqrt()], dim=-1)
        return torch.nn.functional.normalize(found, dim=-1)

    def get_text_latents(self, raw_texts):
        self.read.append(raw_texts)
        found = torch.stack([torch.tensor([0.1, 1.0, len(text) / 40]) for text in raw_texts])
        return torch.nn.functional.normalize(found, dim=-1)


@pytest.fixture
def towers(monkeypatch):
    """The stub behind the metric."""
    made = MuLan(Towers())
    monkeypatch.setattr(module, "load", lambda *_: made)
    return made


def audio(samples, rate=RATE):
    return Audio(samples[None].to(torch.float32), rate)


@pytest.mark.parametrize("length", ABOUT["windows"])
def test_windows_are_the_librarys(length):
    assert windows(torch.arange(int(length)), 10).tolist() == ABOUT["windows"][length]


def test_a_clip_is_the_mean_of_its_windows_not_brought_back_to_norm_one(towers):
    quiet, rough = 0.1 * torch.ones(10 * RATE), 0.5 * muq_small.clip(10 * RATE)
    parts = [towers.audio(audio(part)) for part in (quiet, rough)]
    both = towers.audio(audio(torch.cat([quiet, rough])))
    assert torch.allclose(both, (parts[0] + parts[1]) / 2, atol=1e-6)
    assert both.norm() < 0.99 < parts[0].norm()


def test_the_network_hears_24_kilohertz_mono_at_the_clips_own_loudness(towers):
    wave = 3.0 * muq_small.clip(88200)
    towers.audio(Audio(torch.stack([wave, wave]), 44100))
    (heard,) = towers.network.heard
    assert heard.shape == (1, 96000)
    assert heard.abs().max() > 1.2


def test_texts_are_embedded_alone_once_and_inside_the_template(towers):
    metric, clips = MuQ(), [audio(muq_small.clip(RATE, seed)) for seed in (0, 1)]
    metric.score(clips, TEMPO)
    metric.score(clips, TEMPO)
    MuQ(template="{text}").score(clips, TEMPO)
    assert towers.network.read == [["This is a music of a fast track"], ["a fast track"]]


def test_the_score_is_the_product_of_clip_and_text(towers):
    clip = audio(muq_small.clip(12 * RATE))
    (score,) = MuQ().score([clip], TEMPO)
    wanted = towers.audio(clip) @ towers.text("This is a music of a fast track")
    assert score == pytest.approx(float(wanted), abs=1e-6)
    assert MuQ().score([], TEMPO).shape == (0,)
    assert MuQ().embed([clip, clip]).shape == (2, 3)


def test_it_conforms(towers):
    check_metric(MuQ(), TEMPO)
    check_metric(MuQ(template="{text}"), TEMPO)


@pytest.mark.parametrize("against", [None, [audio(torch.ones(9))]])
def test_only_a_concept_is_measured(towers, against):
    with pytest.raises(SpecError, match="pass the concept"):
        MuQ().score([audio(torch.ones(9))], against)


def test_what_would_fail_in_silence_is_refused(towers):
    with pytest.raises(SpecError, match="empty clip"):
        MuQ().score([audio(torch.zeros(0))], TEMPO)
    with pytest.raises(SpecError, match=r"has no \{text\}"):
        MuQ(template="a music")
    with pytest.raises(CheckpointError, match="sr to 16000"):
        MuLan(Towers(16000))
    with pytest.raises(CheckpointError, match="the same tokens"):
        check_tokenizer(lambda text: {"input_ids": [0, 2]})
    check_tokenizer(lambda text: {"input_ids": [0, ord(text[0]), 2]})


def encoder(**changes):
    """A conformer of this transformers, its config one of muq's."""
    from transformers.models.wav2vec2_conformer.modeling_wav2vec2_conformer import Wav2Vec2ConformerEncoder

    return muq_small.fill(Wav2Vec2ConformerEncoder(muq_small.Plain(muq_small.CONFORMER | changes)))


def test_the_repair_gives_the_states_of_transformers_4(golden):
    network, given = encoder(), muq_small.drawn("input", (2, 20, 32))
    with pytest.raises(AttributeError, match="_attn_implementation"):
        network(given, output_hidden_states=True)
    assert (repair(network), repair(network)) == (1, 0)
    for _ in range(2):
        with torch.inference_mode():
            states = network(given, output_hidden_states=True)["hidden_states"]
        assert len(states) == 4
        for index, state in enumerate(states):
            assert torch.allclose(state, golden[f"state.{index}"], atol=2e-6), index
    assert golden["state.0"].equal(given)


def test_a_call_that_failed_leaves_no_states_behind():
    network = encoder()
    repair(network)
    with pytest.raises(RuntimeError):
        network(torch.randn(1, 5, 31), output_hidden_states=True)
    assert len(network(torch.randn(1, 5, 32), output_hidden_states=True)["hidden_states"]) == 4


def test_an_encoder_that_needs_no_repair_is_left_alone():
    class Wav2Vec2ConformerEncoder(torch.nn.Module):
        def forward(self, hidden_states, output_hidden_states=False):
            return hidden_states

    old = torch.nn.ModuleList([Wav2Vec2ConformerEncoder()])
    assert repair(old) == 0
    assert not old[0]._forward_hooks


class Marker:
    """Something that a pickle would run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_weights_are_read_without_running_what_is_in_them(tmp_path):
    tensors = {"weight": torch.randn(2, 3), "bias": torch.randn(2)}
    save_file(tensors, tmp_path / "a.safetensors")
    torch.save(tensors, tmp_path / "b.bin")
    for name in ("a.safetensors", "b.bin"):
        linear = fill(torch.nn.Linear(3, 2), tmp_path / name)
        assert linear.weight.equal(tensors["weight"])
        assert linear.bias.equal(tensors["bias"])
    torch.save({"weight": Marker(tmp_path / "ran")}, tmp_path / "c.bin")
    with pytest.raises(CheckpointError, match="more than tensors"):
        read(tmp_path / "c.bin")
    assert not (tmp_path / "ran").exists()


def test_weights_that_do_not_fit_are_refused(tmp_path):
    save_file({"weight": torch.randn(2, 3)}, tmp_path / "less.safetensors")
    with pytest.raises(CheckpointError, match="lacks 1 of MuQ-MuLan's 2 parameters: bias"):
        fill(torch.nn.Linear(3, 2), tmp_path / "less.safetensors")
    with pytest.raises(CheckpointError, match="does not fit"):
        fill(torch.nn.Linear(4, 2), tmp_path / "less.safetensors")


def test_weights_are_looked_for_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("TADA_MUQ", str(tmp_path))
    with pytest.raises(
        CheckpointError, match=r"no model\.safetensors or pytorch_model\.bin at .*TADA_MUQ.*OpenMuQ/MuQ-MuLan-large"
    ):
        MuQ().score([audio(torch.ones(RATE))], TEMPO)


@pytest.mark.parametrize(
    ("audio", "text"), [("m-a-p/MERT-v1-330M", "xlm-roberta-base"), ("a/muq", "Qwen/Qwen2"), ("", "")]
)
def test_inner_checkpoints_that_would_run_code_of_their_own_are_refused(tmp_path, audio, text):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"audio_model": {"name": audio}, "text_model": {"name": text}}))
    with pytest.raises(CheckpointError, match="tada runs only one with"):
        build(config)


class Hub:
    """A hub with one file."""

    def __init__(self, path):
        self.path = path

    def __call__(self, source, name):
        if name != self.path.name:
            raise OSError(f"{source} has no {name}\nmore")
        return str(self.path)


def test_weights_come_from_the_hub_by_the_first_name_it_has(tmp_path, monkeypatch):
    path = tmp_path / "b.bin"
    path.write_bytes(b"tensors")
    monkeypatch.setattr("huggingface_hub.hf_hub_download", Hub(path))
    assert find_weights("some/one", ("a.bin", "b.bin"), sha256(path)) == path
    with pytest.raises(
        CheckpointError, match=r"no a\.bin at 'some/one'; the hub says: some/one has no a\.bin; buy it$"
    ):
        find_weights("some/one", ("a.bin",), remedy="buy it")
    with pytest.raises(CheckpointError, match=r"no b\.bin at 'no such folder'$"):
        find_weights("no such folder", ("b.bin",))
    assert find_beside(path, "some/one", "b.bin") == path
    with pytest.raises(CheckpointError, match="the hub says"):
        find_beside(path, "some/one", "config.json")
    with pytest.raises(CheckpointError, match=r"needs the config\.json"):
        find_beside(path, tmp_path, "config.json")


def test_weights_with_another_checksum_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    save_file({"weight": torch.ones(1)}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match="has the SHA-256"):
        load(str(tmp_path), "0" * 64)


def test_without_the_extra_the_entry_says_how_to_install_it(monkeypatch):
    (entry,) = tada_metrics()
    monkeypatch.setattr("tada_core.entry._found", lambda name: name != "muq")
    with pytest.raises(MissingExtraError, match=r"metric 'muq' needs muq: pip install \"tada-core\[muq\]\""):
        entry.load()
    assert entry.licence == MuQ.licence == "CC-BY-NC-4.0"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A checkpoint of the real classes, saved."""
    made = muq_small.save(tmp_path_factory.mktemp("muq"))
    save_file(muq_small.build(made).state_dict(), made / "model.safetensors")
    return made


@real
def test_the_real_classes_give_what_the_library_gave(folder, golden):
    metric = MuQ(weights=str(folder))
    clips = [audio(muq_small.clip(size, seed)) for seed, size in enumerate(ABOUT["samples"].values())]
    assert np.abs(metric.embed(clips) - golden["audio"].numpy()).max() < 1e-5
    texts = [metric.towers.text(text) for text in muq_small.TEXTS]
    assert (torch.stack(texts) - golden["text"]).abs().max() < 1e-5
    for index, query in enumerate(("a fast track", "a piano tune")):
        found = metric.score(clips, Concept("x", "{p}", "{p}", ("a",), ("b",), queries={"muq": query}))
        assert np.abs(found - golden["similarity"][:, index].numpy()).max() < 1e-5
    assert golden["similarity"].std(0).min() > 1e-3
    assert (golden["batched_text"] - golden["text"]).abs().max() > 1e-3


@real
def test_the_real_classes_conform(folder):
    check_metric(MuQ(weights=str(folder)), TEMPO)
    assert not MuQ(weights=str(folder)).towers.network.training


@real
def test_a_missing_part_is_named(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text())
    config["text_model"]["name"] = str(tmp_path / "xlm-roberta-none")
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(CheckpointError, match="xlm-roberta-none"):
        load(str(tmp_path))


@real
def test_a_tokeniser_without_its_vocabulary_is_refused(folder, tmp_path):
    config = json.loads((folder / "config.json").read_text())
    text = shutil.copytree(config["text_model"]["name"], tmp_path / "xlm-roberta-bare")
    about = json.loads((text / "tokenizer.json").read_text())
    about["model"]["vocab"] = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    (text / "tokenizer.json").write_text(json.dumps(about))
    config["text_model"]["name"] = str(text)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="the same tokens"):
        build(tmp_path / "config.json")
