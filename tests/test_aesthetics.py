"""Audiobox Aesthetics: windows, masks and means as the library has them, and one pass for all axes.

Tests marked `real` run on package audiobox_aesthetics' own class where it is installed:
`PYTHONPATH=. pytest -p benchmarks.golden.standins tests/test_aesthetics.py`
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import aesthetics_small
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import tada_aesthetics.metric as module
from tada_aesthetics import tada_metrics
from tada_aesthetics.judge import AXES, RATE, Judge, content, load
from tada_aesthetics.metric import Aesthetics, Complexity, Enjoyment, Production, Usefulness
from tada_aesthetics.windows import windows
from tada_core.audio import Audio
from tada_core.errors import CheckpointError, MissingExtraError, SpecError
from tada_core.resample import resample
from tada_core.testing import check_metric
from tada_core.weights import sha256

GOLDEN = json.loads((Path(__file__).parent / "golden" / "aesthetics" / "numbers.json").read_text())
ONE_AXIS = (Enjoyment, Usefulness, Complexity, Production)
real = pytest.mark.skipif(find_spec("audiobox_aesthetics") is None, reason="audiobox_aesthetics is not installed")


class Network:
    """A network of the library's shape: loudness where the mask is, and what else the axes may differ by."""

    target_transform = aesthetics_small.TRANSFORM

    def __init__(self):
        self.heard = []

    def __call__(self, batch):
        self.heard.append(batch)
        wav, mask = batch["wav"][:, 0], batch["mask"][:, 0]
        loud = ((wav * mask).square().sum(-1) / mask.sum(-1)).sqrt()
        return {axis: loud * (index + 1) for index, axis in enumerate(AXES)}


@pytest.fixture
def judge(monkeypatch):
    """The stub behind the metrics."""
    made = Judge(Network())
    monkeypatch.setattr(module, "load", lambda *_: made)
    return made


def audio(samples, rate=RATE):
    return Audio(samples[None].to(torch.float32), rate)


@pytest.mark.parametrize("length", GOLDEN["windows"])
def test_windows_masks_and_weights_are_the_librarys(length):
    cut, wanted = windows(torch.arange(1.0, int(length) + 1), 10), GOLDEN["windows"][length]
    assert cut.wav.tolist() == wanted["wavs"]
    assert cut.mask.tolist() == wanted["masks"]
    assert cut.weight.tolist() == pytest.approx(wanted["weights"])


def test_windows_count_by_their_length_and_padding_does_not_count(judge):
    loud, quiet = 0.8, 0.2
    clip = torch.cat([torch.full((10 * RATE,), loud), torch.full((5 * RATE,), quiet)])
    (score,) = Enjoyment().score([audio(clip)])
    assert score == pytest.approx(5.0 + 1.5 * (loud * 2 + quiet) / 3, abs=1e-5)


def test_every_axis_has_its_own_scale_and_aesthetics_is_their_mean(judge):
    clip = [audio(torch.full((RATE,), 0.5))]
    each = [float(kind().score(clip)[0]) for kind in ONE_AXIS]
    wanted = [
        one["mean"] + one["std"] * 0.5 * (index + 1) for index, one in enumerate(Network.target_transform.values())
    ]
    assert each == pytest.approx(wanted, abs=1e-5)
    assert Aesthetics().score(clip)[0] == pytest.approx(np.mean(wanted), abs=1e-5)


def test_all_metrics_share_one_pass(judge):
    clips = [audio(aesthetics_small.clip(RATE, seed=seed)) for seed in (0, 1)]
    for kind in (Aesthetics, *ONE_AXIS):
        kind().score(clips)
    Aesthetics().score([Audio(clips[0].samples.clone(), RATE)])
    assert len(judge.network.heard) == 2
    assert Aesthetics().score([]).shape == (0,)


def test_clips_are_told_apart_by_samples_channels_and_rate():
    wave = aesthetics_small.clip(RATE)
    keys = {
        content(Audio(wave[None], RATE)),
        content(Audio(wave[None], RATE // 2)),
        content(Audio(wave[None] * 0.999, RATE)),
        content(Audio(wave.reshape(2, -1), RATE)),
    }
    assert len(keys) == 4


def test_the_network_hears_16_kilohertz_mono_at_the_clips_own_loudness(judge):
    wave = 3.0 * aesthetics_small.clip(88200, 44100)
    Aesthetics().score([Audio(torch.stack([wave, wave]), 44100)])
    (heard,) = judge.network.heard
    assert heard["wav"].shape == (1, 1, 160000)
    assert heard["mask"].sum() == 32000
    assert heard["wav"].abs().max() > 1.2


@pytest.mark.parametrize("kind", [Aesthetics, *ONE_AXIS])
def test_they_conform(judge, kind):
    check_metric(kind())


def test_what_would_fail_in_silence_is_refused(judge):
    with pytest.raises(SpecError, match="empty clip"):
        Aesthetics().score([audio(torch.zeros(0))])
    judge.network.target_transform = {axis: {"mean": float("nan"), "std": 1.0} for axis in AXES}
    with pytest.raises(SpecError, match="not finite"):
        Aesthetics().score([audio(torch.ones(RATE))])


def test_weights_are_looked_for_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("TADA_AESTHETICS", str(tmp_path))
    with pytest.raises(CheckpointError, match=r"no model\.safetensors or checkpoint\.pt at .*TADA_AESTHETICS"):
        Aesthetics().score([audio(torch.ones(RATE))])
    save_file({"weight": torch.ones(1)}, tmp_path / "model.safetensors")
    with pytest.raises(CheckpointError, match=r"needs the config\.json"):
        Aesthetics().score([audio(torch.ones(RATE))])
    with pytest.raises(CheckpointError, match="has the SHA-256"):
        Aesthetics(checksum="0" * 64).score([audio(torch.ones(RATE))])


def test_without_the_extra_every_entry_says_how_to_install_it(monkeypatch):
    entries = tada_metrics()
    assert [entry.name for entry in entries] == [kind.name for kind in (Aesthetics, *ONE_AXIS)]
    monkeypatch.setattr("tada_core.entry._found", lambda name: name != "audiobox_aesthetics")
    for entry in entries:
        with pytest.raises(MissingExtraError, match=r"pip install \"tada-core\[aesthetics\]\""):
            entry.load()
    monkeypatch.undo()
    assert entries[0].licence == Aesthetics.licence == "CC-BY-4.0"


@pytest.mark.parametrize(("rate", "target"), [(44100, 16000), (48000, 24000), (22050, 24000), (16000, 24000)])
def test_a_tone_is_the_same_tone_at_another_rate(rate, target):
    """Below the cut-off a tone keeps its pitch, phase and level; above it, it is gone."""
    low, high = (torch.sin(2 * torch.pi * pitch * torch.arange(rate) / rate) for pitch in (440.0, 0.49 * rate))
    wanted = torch.sin(2 * torch.pi * 440.0 * torch.arange(target) / target)
    inside = slice(200, -200)
    assert torch.allclose(resample(low, rate, target)[inside], wanted[inside], atol=3e-3)
    assert (resample(high, rate, target)[inside].abs().max() < 0.05) == (target < rate)
    many = torch.stack([low, high])[None]
    assert resample(many, rate, target)[0, 1].equal(resample(high, rate, target))
    assert resample(low, rate, rate) is low


def test_rates_that_cannot_be_resampled_are_refused():
    with pytest.raises(SpecError, match="positive"):
        resample(torch.ones(9), 0, RATE)
    with pytest.raises(SpecError, match="no small ratio"):
        resample(torch.ones(9), 44101, RATE)


@real
def test_resampling_is_torchaudios_in_double_precision():
    """In single precision torchaudio rounds the phases, by up to 1e-4 of a sample's height; ours are not rounded."""
    theirs = pytest.importorskip("torchaudio").functional.resample
    wave = torch.randn(2, 20001, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for rate, target in ((44100, 16000), (48000, 24000), (22050, 24000), (32000, 44100)):
        assert torch.allclose(resample(wave, rate, target), theirs(wave, rate, target), atol=1e-12)
        assert torch.allclose(resample(wave.float(), rate, target).double(), theirs(wave, rate, target), atol=5e-6)


OLD = ("ignore:Support for mismatched key_padding_mask:UserWarning",)


@pytest.fixture(scope="module")
def network():
    """The real class, small."""
    pytest.importorskip("audiobox_aesthetics")
    return aesthetics_small.build()


def recorded():
    clips = []
    for seed, one in enumerate(GOLDEN["clips"]):
        wave = aesthetics_small.clip(one["samples"], one["rate"], seed)
        clips.append(Audio(torch.stack([wave, 0.5 * wave]), one["rate"]))
    return clips, np.array([[scores[axis] for axis in AXES] for scores in GOLDEN["scores"]])


@real
@pytest.mark.filterwarnings(*OLD)
def test_the_real_class_gives_what_the_library_gave(network):
    clips, wanted = recorded()
    found = np.array([Judge(network).scores(clip) for clip in clips])
    assert np.abs(found - wanted).max() < 2e-5
    assert wanted.std(0).min() > 0.01


@real
@pytest.mark.filterwarnings(*OLD)
def test_the_real_class_conforms_from_either_file(network, tmp_path, monkeypatch):
    folder = tmp_path / "safe"
    folder.mkdir()
    save_file(network.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({**aesthetics_small.CONFIG, "unknown": 1}))
    state = {f"model.{name}": value for name, value in network.state_dict().items()}
    about = {name: value for name, value in aesthetics_small.CONFIG.items() if name != "target_transform"}
    transform = aesthetics_small.TRANSFORM
    torch.save({"state_dict": state, "model_cfg": about, "target_transform": transform}, tmp_path / "checkpoint.pt")
    clips, wanted = recorded()
    with aesthetics_small.small():
        for where in (folder, folder / "model.safetensors", tmp_path / "checkpoint.pt", tmp_path):
            assert Aesthetics(weights=str(where)).score(clips[:1])[0] == pytest.approx(wanted[0].mean(), abs=2e-5)
        check_metric(Production(weights=str(folder), checksum=sha256(folder / "model.safetensors")))


@real
def test_weights_that_do_not_fit_are_refused(network, tmp_path):
    less = dict(list(network.state_dict().items())[1:])
    save_file(less, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(aesthetics_small.CONFIG))
    with aesthetics_small.small(), pytest.raises(CheckpointError, match="does not fit"):
        load(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    with aesthetics_small.small(), pytest.raises(CheckpointError, match="no target_transform"):
        load(str(tmp_path))
    torch.save({"state_dict": Path("x")}, tmp_path / "checkpoint.pt")
    with pytest.raises(CheckpointError, match="more than tensors"):
        load(str(tmp_path / "checkpoint.pt"))
