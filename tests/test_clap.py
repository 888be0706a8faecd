"""CLAP and LPAPS against numbers of laion-clap's own classes (benchmarks/golden/clap.py), and what must hold anyway."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import re
from pathlib import Path

import clap_weights as given
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import tada_clap
from tada_clap import checkpoint, words
from tada_clap.clap import Clap
from tada_clap.distance import CHANNELS, TOKENS, lpaps
from tada_clap.encoder import Encoder
from tada_clap.listening import Listening
from tada_clap.lpaps import Lpaps, LpapsChannels
from tada_clap.names import LEFT, convert
from tada_clap.network import build, configure
from tada_clap.shelf import Shelf
from tada_clap.spectrum import HOP, RATE, WINDOW, cut, filters, spectra
from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.errors import CheckpointError, SpecError
from tada_core.testing import check_metric
from tada_core.testing.metric import examples

GOLDEN = Path(__file__).parent / "golden" / "clap"
NAMES = json.loads((GOLDEN / "names.json").read_text())
NUMBERS = json.loads((GOLDEN / "recordings.json").read_text())
TENSORS = load_file(GOLDEN / "recordings.safetensors")
FAST = Concept("tempo", "{p}, fast", "{p}, slow", ("a tune",), ("a song",), queries={"": given.TEXTS[0]})
SECONDS = {"a": 10.0, "b": 10.0, "c": 3.3, "d": 21.0, "e": 21.0}
METRICS = (Clap, Lpaps, LpapsChannels)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as laion-clap publishes them, training state beside the weights, and a tokenizer."""
    made = tmp_path_factory.mktemp("clap")
    state = {f"module.{name}": value for name, value in given.weights(NAMES["small"]).items()}
    state["module.audio_branch.logmel_extractor.melW"] = TENSORS["filters"]
    held = {"epoch": np.float64(15), "name": "small", "optimizer": {"step": torch.ones(1)}, "state_dict": state}
    torch.save(held, made / checkpoint.FILE)
    given.tokenizer(made)
    return made


@pytest.fixture
def fresh(folder: Path) -> Encoder:
    """An encoder that nobody else uses."""
    network = build(checkpoint.read(folder / checkpoint.FILE), "small")
    return Encoder(network, str(folder), "cpu", 16, 1.0)


@pytest.fixture
def options(folder: Path) -> dict[str, str]:
    """Options that all metrics of these tests share, and with them one network."""
    return {"weights": str(folder), "tokenizer": str(folder), "device": "cpu"}


def audio(name: str, seconds: float | None = None) -> Audio:
    return Audio(given.clip(name, seconds or SECONDS[name])[None], RATE)


def worst(made: Tensor, recorded: Tensor) -> float:
    assert made.shape == recorded.shape
    return float((made - recorded).abs().max())


def test_the_spectrum_is_the_recorded_one() -> None:
    assert worst(filters(), TENSORS["filters"]) < 1e-8
    made = spectra(cut(given.clip("c", SECONDS["c"])))[0, 0, ::50]
    assert worst(made, TENSORS["spectrum"]) < 1e-3
    assert made.min() < -99 and made.max() > 0, "both silence and sound are in the recording"


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_embeddings_of_audio_are_the_recorded_ones(fresh: Encoder, name: str) -> None:
    (made,) = fresh.listen([audio(name)])
    assert worst(made[0], TENSORS[f"audio.{name}"]) < 1e-6
    others = [float((made[0] - TENSORS[f"audio.{other}"]).norm()) for other in "abc" if other != name]
    assert min(others) > 1e-2


@pytest.mark.parametrize("stage", range(4))
def test_the_stages_are_the_recorded_ones(fresh: Encoder, stage: int) -> None:
    (made,) = fresh.look([audio("a")])
    assert worst(made[stage][0], TENSORS[f"stage.{stage}"]) < 1e-4
    assert TENSORS[f"stage.{stage}"].abs().mean() > 0.1


def test_embeddings_of_text_are_the_recorded_ones_and_long_texts_are_cut(fresh: Encoder) -> None:
    with pytest.warns(UserWarning, match="does not read its end: 'slow slow") as seen:
        made = torch.stack([fresh.read(text) for text in given.TEXTS])
    assert len(seen) == 1
    assert worst(made, TENSORS["text"]) < 1e-6
    assert torch.cdist(made, made).add(torch.eye(3)).min() > 1e-3
    with pytest.warns(UserWarning, match="at most 77 tokens"):
        assert [len(words.tokens(fresh.tokenizer, text)) for text in given.TEXTS] == [14, 43, 77]


@pytest.mark.parametrize("kind", METRICS)
def test_scores_over_windows_are_the_recorded_ones(kind: type[Listening], options: dict[str, str]) -> None:
    """21 s: two whole windows and one of 3 s, which is repeated."""
    metric, (first, other) = kind(**options), (audio("d"), audio("e"))
    if kind is Clap:
        wanted = [NUMBERS["similarity"][name] for name in "de"]
        assert metric.score([first, other], FAST) == pytest.approx(wanted, abs=1e-6)
    else:
        wanted = NUMBERS["tokens" if kind is Lpaps else "channels"]["d-e"]
        assert metric.score([first], [other]) == pytest.approx([wanted], rel=1e-5)
        assert NUMBERS["tokens"]["d-e"] > 1.5 * NUMBERS["channels"]["d-e"]


@pytest.mark.parametrize("kind", METRICS)
def test_every_metric_keeps_the_rules(kind: type[Listening], options: dict[str, str]) -> None:
    check_metric(kind(**options), FAST)


@pytest.mark.parametrize("size", ["small", "HTSAT-base"])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_every_name_of_the_real_class_has_its_place(size: str, prefix: str) -> None:
    from transformers import ClapModel

    # Older transformers saved the positions too, and so does the published checkpoint.
    shapes = {**NAMES[size], "text_branch.embeddings.position_ids": [1, 514 if size != "small" else 80]}
    with torch.device("meta"):
        state = {prefix + name: torch.empty(shape) for name, shape in shapes.items()}
        converted = convert(state)
        network = ClapModel(configure(converted))
    wanted = {name: list(value.shape) for name, value in network.state_dict().items()}
    assert wanted.pop("text_model.embeddings.token_type_ids")
    assert {name: list(value.shape) for name, value in converted.items()} == wanted
    left = {re.sub(r"\.\d.*|\.(weight|bias|melW|stft.*)$", "", name) for name in shapes if LEFT.search(name)}
    heads = {"audio_transform.sequential", "text_transform.sequential", "audio_branch.tscam_conv", "audio_branch.head"}
    front = {"audio_branch.spectrogram_extractor", "audio_branch.logmel_extractor"}
    assert left == heads | front | {"audio_branch.layers"}, "of the layers, the masks alone"


def test_query_key_and_value_come_apart_in_this_order() -> None:
    joint = torch.arange(12.0).reshape(6, 2)
    made = convert({"audio_branch.layers.0.blocks.1.attn.qkv.weight": joint})
    place = "audio_model.audio_encoder.layers.0.blocks.1.attention.self"
    parts = [made[f"{place}.{part}.weight"] for part in ("query", "key", "value")]
    assert torch.equal(torch.cat(parts), joint)


def test_safetensors_are_read_too(folder: Path, tmp_path: Path) -> None:
    state = checkpoint.read(folder / checkpoint.FILE)
    save_file({name: value.contiguous() for name, value in state.items()}, tmp_path / "clap.safetensors")
    again = checkpoint.read(tmp_path / "clap.safetensors")
    assert again.keys() == state.keys() and all(torch.equal(again[name], state[name]) for name in state)


class Bomb:
    """What a hostile file may hold."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("import builtins; builtins.clap_bomb = True",)


def test_nothing_in_a_pickle_is_executed(tmp_path: Path) -> None:
    import builtins

    for path, write in ((tmp_path / "zip.pt", torch.save), (tmp_path / "plain.pt", dump)):
        write({"state_dict": Bomb()}, path)
        with pytest.raises(CheckpointError, match="cannot be read without executing"):
            checkpoint.read(path)
    assert not hasattr(builtins, "clap_bomb")


def dump(value: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(value, protocol=2))


@pytest.mark.parametrize("held", [{}, [1], {"state_dict": {"a": 1}}])
def test_a_file_without_weights_is_refused(held: object, tmp_path: Path) -> None:
    torch.save(held, tmp_path / "clap.pt")
    with pytest.raises(CheckpointError, match="no state dict"):
        checkpoint.read(tmp_path / "clap.pt")


def test_a_damaged_file_is_refused(folder: Path, tmp_path: Path) -> None:
    whole = (folder / checkpoint.FILE).read_bytes()
    (tmp_path / "clap.pt").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="cannot be read"):
        checkpoint.read(tmp_path / "clap.pt")


def test_the_checksum_is_compared(folder: Path) -> None:
    actual = hashlib.sha256((folder / checkpoint.FILE).read_bytes()).hexdigest()
    assert checkpoint.find(str(folder), actual.upper()) == folder / checkpoint.FILE
    with pytest.raises(CheckpointError, match=actual):
        checkpoint.find(str(folder), checkpoint.SHA256)


def test_the_published_file_must_be_the_published_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.delenv(checkpoint.VARIABLE, raising=False)
    asked = []
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *a: asked.append(a) or str(folder / checkpoint.FILE))
    with pytest.raises(CheckpointError, match=checkpoint.SHA256):
        Lpaps().score(examples()[:1], examples()[:1])
    assert asked == [("lukewys/laion_clap", "music_audioset_epoch_15_esc_90.14.pt")]


def test_without_weights_the_error_says_where_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words_ = rf"get {checkpoint.FILE} from https://huggingface.co/lukewys/laion_clap.*`weights` or TADA_CLAP"
    monkeypatch.setenv("TADA_CLAP", str(tmp_path))
    for metric in (Clap(), Clap(weights=str(tmp_path / "none.pt"))):
        with pytest.raises(CheckpointError, match=words_):
            metric.score(examples(), FAST)


def test_the_environment_names_weights_and_tokenizer(options: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TADA_CLAP", options["weights"])
    monkeypatch.setenv("TADA_CLAP_TOKENIZER", options["tokenizer"])
    assert Clap(device="cpu") == Clap(**options)
    assert Clap(device="cpu").encoder is Clap(**options).encoder


@pytest.mark.parametrize("change", ["missing", "unknown", "shape", "empty", "filters"])
def test_another_network_is_refused(folder: Path, change: str) -> None:
    state = checkpoint.read(folder / checkpoint.FILE)
    name = "module.audio_branch.norm.weight"
    if change == "missing":
        del state[name]
    elif change == "unknown":
        state["module.audio_branch.mel_conv1d.weight"] = torch.ones(1)
    elif change == "shape":
        state[name] = torch.ones(3)
    elif change == "empty":
        state = {"a": torch.ones(1)}
    else:
        state["module.audio_branch.logmel_extractor.melW"] = torch.roll(TENSORS["filters"], 1, 0)
    with pytest.raises(CheckpointError, match=r"'here' .*(unfused CLAP|mel filters)"):
        build(state, "here")


def test_a_tokenizer_that_tells_no_texts_apart_is_refused(options: dict[str, str], tmp_path: Path) -> None:
    from transformers import RobertaTokenizer

    RobertaTokenizer(vocab={"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}, merges=[]).save_pretrained(
        tmp_path / "mute"
    )
    for broken, reason in (("mute", "same tokens"), ("nowhere", "(cannot be read|same tokens)")):
        metric = Clap(**{**options, "tokenizer": str(tmp_path / broken)})
        with pytest.raises(CheckpointError, match=f"{reason}.*`tokenizer` or TADA_CLAP_TOKENIZER"):
            metric.score(examples(), FAST)


def test_a_tokenizer_of_another_network_is_refused_but_distances_need_none(folder: Path, tmp_path: Path) -> None:
    big = given.tokenizer(tmp_path)
    big.add_tokens(["more", "and more"])
    big.save_pretrained(tmp_path)
    encoder = Encoder(build(checkpoint.read(folder / checkpoint.FILE), "small"), str(tmp_path), "cpu", 16, 1.0)
    assert len(encoder.look(examples()[:1])) == 1
    with pytest.raises(CheckpointError, match=f"tokens and the network {given.LETTERS}"):
        encoder.read("a song")


@pytest.mark.parametrize(("seconds", "windows"), [(0.5, 1), (9, 1), (9.5, 2), (10, 2), (18, 2), (30, 4)])
def test_a_window_starts_every_nine_seconds(seconds: float, windows: int) -> None:
    samples = torch.rand(round(seconds * RATE)) + 1
    made = cut(samples)
    assert made.shape == (windows, WINDOW)
    for index, window in enumerate(made):
        own = samples[index * HOP :][:WINDOW]
        whole = WINDOW // len(own)
        assert torch.equal(window[: whole * len(own)], own.repeat(whole))
        assert not window[whole * len(own) :].any()


def test_loud_samples_are_not_clipped_and_quiet_ones_not_rounded(fresh: Encoder) -> None:
    quiet = Audio(examples()[0].samples * 1e-6, 16000)
    loud = Audio(examples()[0].samples * 3, 16000)
    clipped = Audio(loud.samples.clamp(-1, 1), 16000)
    silent = Audio(torch.zeros(1, 32000), 16000)
    made = torch.cat(fresh.listen([quiet, loud, clipped, silent]))
    assert torch.cdist(made, made).add(torch.eye(len(made))).min() > 1e-3


def test_rates_and_channels_do_not_matter(options: dict[str, str]) -> None:
    time = torch.arange(2 * 48000, dtype=torch.float64) / 48000
    fine = (0.5 * torch.sin(2 * math.pi * 300 * time) * torch.sin(math.pi * time / 2)).float()
    clips = [Audio(fine[None], 48000), Audio(fine[::3][None], 16000), Audio(torch.stack([fine * 2, fine * 0]), 48000)]
    far = float(Lpaps(**options).score(clips[:1], [audio("c", 2.0)])[0])
    near = Lpaps(**options).score(clips, [clips[0]] * 3)
    # What lies above 8 kHz in the finer clip is silence at another level.
    assert near[0] == near[2] == 0.0 and near[1] < 0.5 * far


def test_a_clip_is_heard_once_for_all_metrics(fresh: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Listening, "encoder", property(lambda _: fresh))
    steered, plain = [audio("a"), audio("d"), audio("e")], [audio("b"), audio("e"), audio("e")]
    Lpaps().score(steered, plain)
    assert fresh.passes == 2 + 3 + 3 + 2
    again = [Audio(clip.samples.clone(), clip.rate) for clip in steered]
    Clap().score(again, FAST), Lpaps().score(again, plain), LpapsChannels().score(again, plain)
    assert fresh.passes == 10
    # The same samples at another rate are another clip.
    Clap().score([Audio(steered[0].samples, 24000)], FAST)
    assert fresh.passes == 13


def test_without_memory_the_stages_are_heard_again_and_the_numbers_stay(folder: Path, fresh: Encoder) -> None:
    forgetful = Encoder(fresh.network, str(folder), "cpu", 3, 0.0)
    for encoder in (forgetful, fresh):
        encoder.look([audio("a"), audio("d")])
    before = forgetful.passes
    for first, other in zip(forgetful.look([audio("a")])[0], fresh.look([audio("a")])[0], strict=True):
        assert torch.allclose(first, other, atol=1e-5)
    assert forgetful.passes == before + 2 and fresh.passes == before
    forgetful.listen([audio("a")])
    assert forgetful.passes == before + 2, "embeddings are kept all the same"


def test_metrics_with_the_same_options_share_a_network(options: dict[str, str]) -> None:
    assert Clap(**options).encoder is Lpaps(**options).encoder is LpapsChannels(**options).encoder
    assert Clap(**options).encoder.read("a song") is Lpaps(**options).encoder.read("a song")


def test_a_shelf_gives_up_what_was_asked_for_longest_ago() -> None:
    shelf = Shelf(room=24)
    for key in (b"a", b"b"):
        shelf.put(key, (torch.zeros(3),))
    assert shelf.get(b"a") is not None
    shelf.put(b"c", (torch.zeros(1), torch.zeros(2)))
    assert (shelf.get(b"a") is None, shelf.get(b"b") is None, shelf.get(b"c") is None) == (False, True, False)
    shelf.put(b"c", (torch.zeros(3),))
    assert shelf.used == 24
    shelf.put(b"d", (torch.zeros(100),))
    assert shelf.used == 0


def stages(seed: int) -> list[Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(2, tokens, 6, generator=draw, dtype=torch.float64) for tokens in (16, 8, 4, 4)]


@pytest.mark.parametrize("axis", [TOKENS, CHANNELS])
def test_the_distance_is_zero_symmetric_and_at_most_16(axis: int) -> None:
    a, b = stages(0), stages(1)
    assert torch.equal(lpaps(a, a, axis), torch.zeros(2, dtype=torch.float64))
    assert torch.allclose(lpaps(a, b, axis), lpaps(b, a, axis))
    assert 0 < lpaps(a, b, axis).min() < lpaps(a, b, axis).max() < 16
    assert torch.allclose(lpaps(a, [-x for x in a], axis), torch.full((2,), 16.0, dtype=torch.float64))


@pytest.mark.parametrize(("axis", "other"), [(TOKENS, CHANNELS), (CHANNELS, TOKENS)])
def test_only_the_normalised_axis_forgets_its_scale(axis: int, other: int) -> None:
    """Over tokens the loudness of a channel does not count, over channels that of a token."""
    a, b = stages(0), stages(1)
    sizes = [torch.rand(x.sum(axis, keepdim=True).shape, generator=torch.Generator().manual_seed(2)) + 0.5 for x in a]
    scaled = [x * size for x, size in zip(a, sizes, strict=True)]
    assert torch.allclose(lpaps(scaled, b, axis), lpaps(a, b, axis))
    assert not torch.allclose(lpaps(scaled, b, other), lpaps(a, b, other), rtol=1e-3)


def test_more_noise_is_further_away(options: dict[str, str]) -> None:
    clip, noise = examples()[0], examples()[2].samples
    noisy = [Audio(clip.samples + level * noise, clip.rate) for level in (0.0, 0.001, 0.01, 0.1, 0.5)]
    away = Lpaps(**options).score(noisy, [clip] * len(noisy)).tolist()
    assert away == sorted(set(away)) and away[0] == 0.0


SHORT = examples()[0]


@pytest.mark.parametrize(
    ("kind", "against", "reason"),
    [
        (Clap, None, "pass the concept"),
        (Clap, [SHORT], "pass the concept"),
        (Lpaps, None, "one Audio for each clip"),
        (LpapsChannels, FAST, "'lpaps-channels' measures against reference clips"),
        (Lpaps, [], "1 clips and 0 references"),
        (Lpaps, [Audio(SHORT.samples[:, :16000], 16000)], r"2\.00 s has a reference of 1\.00 s"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    kind: type[Listening], against: object, reason: str, options: dict[str, str]
) -> None:
    with pytest.raises(SpecError, match=reason):
        kind(**options).score([SHORT], against)


def test_an_empty_clip_is_refused_and_no_clips_give_no_scores(options: dict[str, str]) -> None:
    empty = Audio(torch.zeros(1, 0), RATE)
    with pytest.raises(SpecError, match="empty clip"):
        Clap(**options).score([empty], FAST)
    assert Clap(**options).score([], FAST).shape == Lpaps(**options).score([], []).shape == (0,)


def test_the_entries_load_and_say_what_they_are() -> None:
    found = {entry.name: entry.load() for entry in tada_clap.tada_metrics()}
    assert found == {kind.name: kind for kind in METRICS}
    assert [(kind.kind, kind.direction) for kind in METRICS] == [("alignment", 1)] + 2 * [("preservation", -1)]
    assert len({kind.unit for kind in METRICS}) == 3 and {kind.licence for kind in METRICS} == {"CC0-1.0"}
