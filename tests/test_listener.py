"""The listener hears what is true of clips it was not trained on, forgets nothing that matters, and trains again."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path

import attrs
import numpy as np
import pytest
import torch

import tada_registry as tada
from tada_core import Concept
from tada_core.audio import Audio
from tada_core.errors import CheckpointError, SpecError
from tada_core.testing import check_metric
from tada_core.testing.metric import examples
from tada_etude.listener import ListenerConfig
from tada_etude.listener.batch import change, describe, draw_batch, project
from tada_etude.listener.damage import KINDS, damage
from tada_etude.listener.data import load_dataset, read_code, spoilt
from tada_etude.listener.distance import lpaps
from tada_etude.listener.encoder import Encoder
from tada_etude.listener.export import CONFIG, WEIGHTS, export, read
from tada_etude.listener.front import BANDS, RATE, WINDOW, cut, spectra
from tada_etude.listener.loop import State, objective, train
from tada_etude.listener.metrics import SHIPPED, Distance, Listening, Quality, Similarity
from tada_etude.listener.objective import VALUES, code, contrast, tell_apart, true
from tada_etude.listener.words import check, numbers, split
from tada_etude.synth import Attributes, caption, draw, named, render

METRICS = (Similarity, Distance, Quality)
TINY = ListenerConfig.tiny()
FAST = Concept("pace", "{p}, fast", "{p}, slow", ("a tune",), ("a song",), queries={"": "a fast tune"})
FIRST = 70_000_000
OPPOSITES = {
    "tempo": ("fast", "slow", "a slow tune"),
    "brightness": ("bright", "dark", "a tune with a dark tone"),
    "register": ("high", "low", "a tune in a low register"),
    "drums": (True, False, "a tune without drums"),
    "mode": ("major", "minor", "a sad tune in a minor key"),
}


@lru_cache(maxsize=256)
def sound_of(attributes: Attributes) -> Audio:
    return Audio(torch.from_numpy(render(attributes))[None], RATE)


def sounded(*attributes: Attributes) -> list[Audio]:
    return [sound_of(one) for one in attributes]


@pytest.fixture(scope="module")
def clip() -> Audio:
    return sounded(draw(FIRST))[0]


@pytest.fixture
def fresh() -> Encoder:
    """An encoder that nobody else uses."""
    return Encoder(read(SHIPPED))


@pytest.mark.parametrize("kind", METRICS)
def test_every_metric_keeps_the_rules(kind: type[Listening]) -> None:
    check_metric(kind(), FAST)


def test_the_registry_has_them_with_kind_and_direction() -> None:
    found = [tada.get_metric(name) for name in ("listener", "listener-lpaps", "listener-quality")]
    assert [type(one) for one in found] == list(METRICS)
    assert [(one.kind, one.direction) for one in found] == [("alignment", 1), ("preservation", -1), ("quality", 1)]
    assert {one.licence for one in found} == {"Apache-2.0"} and len({one.unit for one in found}) == 3


@pytest.mark.parametrize("name", OPPOSITES)
def test_a_concept_is_heard_both_ways(name: str) -> None:
    """Pairs of clips that differ in the concept alone: each text is more like its own side."""
    high, low, opposite = OPPOSITES[name]
    drawn = [draw(FIRST + 1000 + i) for i in range(6)]
    sides = [sounded(*(attrs.evolve(one, **{name: value}, bpm=0.0) for one in drawn)) for value in (high, low)]
    concept = tada.get_concept(name)
    listener = Similarity()
    for query, sign in ((concept.query("listener"), 1), (opposite, -1)):
        above, below = (listener.score(side, attrs.evolve(concept, queries={"": query})) for side in sides)
        right = sign * (above - below) > 0
        assert right.sum() >= 5, f"'{query}': {right.sum()} of 6"


def test_a_caption_is_more_like_its_own_clip_than_like_others() -> None:
    drawn = [draw(FIRST + 1000 + i) for i in range(12)]
    texts = [f"a {one.tempo} {one.instrument} tune with a {one.brightness} tone" for one in drawn]
    codes = [code(one, ("tempo", "instrument", "brightness")) for one in drawn]
    clips = sounded(*drawn)
    scores = np.stack([Similarity().score(clips, attrs.evolve(FAST, queries={"": text})) for text in texts])
    same = true(torch.tensor(codes), torch.tensor(codes)).numpy()
    better = [scores[i][same[i]].mean() > np.quantile(scores[i][~same[i]], 0.9) for i in range(12)]
    assert sum(better) >= 10


def test_the_concepts_own_query_for_the_listener_is_read(clip: Audio) -> None:
    other = attrs.evolve(FAST, queries={"": "a fast tune", "listener": "a slow tune"})
    slow = attrs.evolve(FAST, queries={"": "a slow tune"})
    assert Similarity().score([clip], other) == Similarity().score([clip], slow) != Similarity().score([clip], FAST)


def test_words_it_does_not_know_are_not_heard(fresh: Encoder) -> None:
    assert torch.equal(fresh.read("a FAST, tune"), fresh.read("a fast xylophonic tune zzz"))
    known = [fresh.read(text) for text in ("a fast tune", "a slow tune", "a tune without drums", "a tune with drums")]
    assert torch.cdist(torch.stack(known), torch.stack(known)).add(torch.eye(4)).min() > 0.1


@pytest.mark.parametrize("text", ["violin", "a violin tune", "a song", "", "東京", "tempo without tone"])
def test_a_query_that_says_nothing_to_it_is_refused_before_anything_is_heard(text: str, clip: Audio) -> None:
    concept = attrs.evolve(FAST, queries={"": text})
    with pytest.raises(SpecError, match=f"no word of '{text}'.*query for 'listener'.*fast"):
        Similarity().score([Audio(torch.zeros(1, 0), RATE)], concept)


def test_every_wording_of_the_captions_is_known(fresh: Encoder) -> None:
    words = set(fresh.trained.words)
    for seed in range(4000, 4400):
        text = caption(draw(seed), seed)
        assert set(split(text)) <= words
        if named(seed):
            check(text, fresh.trained.telling)


def test_a_clip_is_at_distance_zero_from_itself_and_a_blend_moves_away_steadily(clip: Audio) -> None:
    other = sounded(draw(FIRST + 1))[0]
    blends = [Audio((1 - x) * clip.samples + x * other.samples, RATE) for x in (0.0, 0.05, 0.2, 0.5, 1.0)]
    away = Distance().score(blends, [clip] * 5)
    assert away[0] == 0.0 and (np.diff(away) > 0).all() and away[-1] < 16
    back = Distance().score([clip] * 5, blends)
    assert np.allclose(away, back)


@pytest.mark.parametrize("kind", METRICS)
def test_loudness_is_not_heard_and_rates_and_channels_hardly(kind: type[Listening], clip: Audio) -> None:
    other = sounded(draw(FIRST + 1))[0]
    fine = torch.nn.functional.interpolate(clip.samples[None], scale_factor=3, mode="linear")[0]
    same = [
        clip,
        Audio(0.3 * clip.samples, RATE),
        Audio(torch.cat([2 * clip.samples, 0 * clip.samples]), RATE),
        Audio(fine, 3 * RATE),
    ]
    against = [other] * 4 if kind is Distance else FAST
    scores = kind().score(same, against)
    assert scores[1:3] == pytest.approx([scores[0]] * 2, abs=1e-4)
    assert scores[3] == pytest.approx(scores[0], abs=0.15)


def test_silence_is_like_no_text_and_of_no_quality_but_has_a_distance(clip: Audio) -> None:
    silence = Audio(torch.zeros_like(clip.samples), RATE)
    assert Similarity().score([silence], FAST).tolist() == [0.0] == Quality().score([silence]).tolist()
    assert Distance().score([silence, silence], [clip, silence]).tolist()[1] == 0.0
    assert Distance().score([silence], [clip])[0] > 0.1


@pytest.mark.parametrize(
    ("kind", "clips", "against", "reason"),
    [
        (Similarity, 1, None, "pass the concept"),
        (Similarity, 1, examples(), "pass the concept"),
        (Distance, 1, None, "one Audio for each clip"),
        (Distance, 1, [], "1 clips and 0 references"),
        (Distance, 1, [Audio(torch.ones(1, RATE), RATE)], r"2\.00 s has a reference of 1\.00 s"),
    ],
)
def test_what_cannot_be_measured_is_refused(kind: type[Listening], clips: int, against: object, reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        kind().score(examples()[:clips], against)


@pytest.mark.parametrize("kind", METRICS)
def test_a_clip_too_short_is_refused_and_no_clips_give_no_scores(kind: type[Listening]) -> None:
    short = Audio(torch.ones(1, RATE // 4), RATE)
    with pytest.raises(SpecError, match=r"lasts 0\.25 s; the listener needs at least 0\.5 s"):
        kind().score([short], [short] if kind is Distance else FAST)
    assert kind().score([], [] if kind is Distance else FAST).shape == (0,)


@pytest.mark.parametrize(("seconds", "windows"), [(1.0, 1), (4.096, 1), (5.0, 2), (8.192, 2), (30.0, 8)])
def test_windows_cover_the_clip_and_end_with_it(seconds: float, windows: int) -> None:
    samples = torch.rand(round(seconds * RATE)) + 0.1
    made = cut(samples)
    assert made.shape == (windows, WINDOW)
    scale = made[0, 0] / samples[0]
    if len(samples) >= WINDOW:
        assert torch.allclose(made[-1], samples[-WINDOW:] * scale)
    else:
        assert torch.allclose(made[0, len(samples) : 2 * len(samples)], samples * scale)
    assert spectra(made).shape == (windows, BANDS, 128)


def test_the_front_end_is_that_of_etudes_decoder(clip: Audio) -> None:
    windows = cut(clip.samples[0])
    assert torch.allclose(read_code().log_mel(windows[:, None]), spectra(windows), atol=1e-5)


def test_a_clip_is_heard_once_for_all_metrics(fresh: Encoder, monkeypatch: pytest.MonkeyPatch, clip: Audio) -> None:
    monkeypatch.setattr(Listening, "encoder", property(lambda _: fresh))
    for _ in range(2):
        Similarity().score([clip], FAST), Distance().score([clip], [clip]), Quality().score([clip])
    assert fresh.passes == 1
    Quality().score([Audio(clip.samples, 2 * RATE)])
    assert fresh.passes == 2, "the same samples at another rate are another clip"


def test_what_was_heard_longest_ago_is_forgotten(fresh: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tada_etude.listener.encoder.ROOM", 2)
    fresh.listen(examples())
    fresh.listen(examples()[1:])
    assert fresh.passes == 3
    fresh.listen(examples()[:1])
    assert fresh.passes == 4


def test_metrics_with_the_same_weights_share_a_network() -> None:
    assert Similarity().encoder is Distance().encoder is Quality().encoder


@pytest.mark.parametrize("kind", KINDS)
def test_less_damage_is_better_quality(kind: str) -> None:
    box = read_code()
    sound = [clip.samples[0].numpy() for clip in sounded(draw(FIRST), draw(FIRST + 1))]
    means = []
    for severity in (0.1, 0.9):
        worse = [damage(one, kind, severity, np.random.default_rng(0), box) for one in sound]
        means.append(Quality().score([Audio(torch.from_numpy(one)[None], RATE) for one in worse]).mean())
    assert means[0] - means[1] > 0.15, means


@pytest.mark.parametrize("kind", KINDS)
def test_damage_of_severity_zero_is_hardly_any_and_grows(kind: str) -> None:
    sound, box = sounded(draw(FIRST))[0].samples[0].numpy(), read_code()
    spectrum = [
        spectra(cut(torch.from_numpy(damage(sound, kind, severity, np.random.default_rng(0), box))))
        for severity in (0.0, 0.5, 1.0)
    ]
    plain = spectra(cut(torch.from_numpy(sound)))
    moved = [float((one - plain).abs().mean()) for one in spectrum]
    assert moved[0] < 0.35 and moved[0] < moved[1] < moved[2]


def test_weights_are_small_and_of_half_precision() -> None:
    from safetensors.torch import load_file

    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 6e6
    assert {tensor.dtype for tensor in load_file(SHIPPED / WEIGHTS).values()} == {torch.float16}


@pytest.mark.parametrize("change_", ["missing", "damaged", "other"])
def test_a_folder_without_a_listener_is_refused(tmp_path: Path, change_: str) -> None:
    folder = shutil.copytree(SHIPPED, tmp_path / "weights")
    if change_ == "missing":
        (folder / CONFIG).unlink()
    elif change_ == "damaged":
        (folder / WEIGHTS).write_bytes(b"nothing")
    else:
        text = (folder / CONFIG).read_text()
        (folder / CONFIG).write_text(text.replace('"text_width": 128', '"text_width": 64'))
    with pytest.raises(CheckpointError, match=r"holds no listener.*train-listener --export"):
        Quality(weights=folder).score(examples()[:1])


def test_a_caption_is_right_for_every_clip_that_has_what_it_says() -> None:
    clips = [Attributes(tempo="fast", drums=True), Attributes(tempo="fast"), Attributes(tempo="slow")]
    captions = [
        code(clips[0], ("tempo",)),
        code(clips[0], ("tempo", "drums")),
        code(clips[2], ("drums",)),
        code(clips[0], ()),
    ]
    right = true(torch.tensor([code(one) for one in clips]), torch.tensor(captions))
    assert right.T.int().tolist() == [[1, 1, 0], [1, 0, 0], [0, 1, 1], [1, 1, 1]]


def test_right_pairs_do_not_compete_and_wrong_ones_do() -> None:
    right = torch.tensor([[True], [True], [False]])
    loss = contrast(torch.tensor([[2.0], [0.0], [-1.0]]), right)
    assert contrast(torch.tensor([[9.0], [0.0], [-1.0]]), right) < loss
    one, other = (
        contrast(torch.tensor([[2.0], [0.0], [0.0]]), right),
        contrast(torch.tensor([[2.0], [2.0], [0.0]]), right),
    )
    assert loss < one and other < one
    assert contrast(torch.randn(3, 2), torch.tensor([[True, False]] * 3)) == 0.0


def test_a_caption_wrong_in_a_word_must_lose() -> None:
    right = torch.tensor([[True, False], [True, True]])
    good, bad = (tell_apart(torch.tensor([[s, 0.0], [0.0, 99.0]]), right) for s in (3.0, -3.0))
    assert good < 0.1 < 3 < bad
    assert tell_apart(torch.randn(2, 2), torch.ones(2, 2, dtype=torch.bool)) == 0.0


def test_the_second_captions_are_wrong_in_one_attribute_that_they_name() -> None:
    truth = [draw(seed) for seed in range(200)]
    texts, said = describe(truth, np.random.default_rng(0))
    right = true(torch.tensor([code(one) for one in truth]), said)
    named_any = (said[:200] != -1).any(1)
    assert right[torch.arange(200), torch.arange(200)].all()
    assert torch.equal(~right[torch.arange(200), torch.arange(200, 400)], named_any)
    assert ((said[:200] != said[200:]).sum(1) == named_any.int()).all()
    assert all((a != b) == bool(one) for a, b, one in zip(texts[:200], texts[200:], named_any, strict=True))
    assert set(VALUES) == {name for seed in range(100) for name in named(seed)}
    assert change(truth[0], (), np.random.default_rng(0)) == truth[0]


def test_ids_are_of_whole_words_and_cut_at_the_limit() -> None:
    assert numbers("Low-pitched, bell! lowpitched", ("bell", "low", "pitched"), 8) == [2, 3, 1]
    assert numbers("low low low", ("low",), 2) == [1, 1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State]:
    """An uninterrupted run, made with one thread so that sums have one order."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(TINY, folder)


def equal(one: State, two: State) -> bool:
    first, second = one.network.state_dict(), two.network.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def begun(whole: tuple[Path, State], tmp_path: Path) -> Path:
    """A folder with the data set alone."""
    for path in whole[0].glob("heard-*.pt"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_a_run_broken_off_and_resumed_ends_with_the_same_weights(whole: tuple[Path, State], begun: Path) -> None:
    assert train(TINY, begun, stop_after=2).step == 2
    assert not equal(train(TINY, begun, stop_after=1), whole[1])
    resumed = train(TINY, begun)
    assert resumed.step == TINY.steps and equal(resumed, whole[1])


@pytest.mark.parametrize(("part", "weight"), [("contrast", 1.0), ("tell_apart", 1.0), ("functional.mse_loss", 2.0)])
def test_every_part_of_the_loss_is_learned(
    whole: tuple[Path, State], monkeypatch: pytest.MonkeyPatch, part: str, weight: float
) -> None:
    folder, state = whole
    config = attrs.evolve(TINY, severity_weight=2.0)
    batch = draw_batch(load_dataset(TINY, folder), TINY, 3)
    plain = objective(state, config, batch)
    known = {"contrast": contrast, "tell_apart": tell_apart}.get(part, torch.nn.functional.mse_loss)
    monkeypatch.setattr(f"tada_etude.listener.loop.{part}", lambda *given: known(*given) + 1.0)
    assert float(objective(state, config, batch).detach() - plain.detach()) == pytest.approx(weight, rel=1e-4)


def test_another_seed_ends_with_other_weights(whole: tuple[Path, State], begun: Path) -> None:
    assert not equal(train(attrs.evolve(TINY, seed=1), begun), whole[1])


def test_loss_falls_and_is_kept_as_a_table(begun: Path) -> None:
    train(attrs.evolve(TINY, steps=40, batch=8, rate=1e-2), begun)
    rows = (begun / "loss.csv").read_text().splitlines()
    assert rows[0] == "step,loss" and [row.split(",")[0] for row in rows[1:]] == ["20", "40"]
    assert float(rows[-1].split(",")[1]) < float(rows[1].split(",")[1])


def test_a_checkpoint_of_another_configuration_is_refused_before_any_clip_is_made(
    whole: tuple[Path, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tada_etude.listener.loop.load_dataset", lambda *_: pytest.fail("work started"))
    with pytest.raises(ValueError, match="another width;"):
        train(attrs.evolve(TINY, width=8), whole[0])


def test_the_checkpoint_is_exported_and_heard_with(whole: tuple[Path, State], tmp_path: Path) -> None:
    export(whole[0], tmp_path)
    trained = read(tmp_path)
    weight = whole[1].network.audio.embed.weight
    assert torch.equal(trained.network.audio.embed.weight, weight.half().float())
    assert trained.config == TINY and trained.words == whole[1].words
    assert Quality(weights=tmp_path).score(examples()) != pytest.approx(Quality().score(examples()))


def test_the_data_set_is_what_is_heard_of_the_drawn_clips(whole: tuple[Path, State]) -> None:
    dataset = load_dataset(TINY, whole[0])
    assert dataset.heard.shape == dataset.worse.shape == (8, BANDS, 128)
    clean = spectra(cut(torch.from_numpy(render(draw(5)))))[0]
    assert np.allclose(clean, dataset.heard[5], atol=0.01)
    assert dataset.severity.tolist() == pytest.approx([spoilt(seed)[1] for seed in range(8)])
    kept = project(clean[None], dataset.code)[0]
    assert 0.01 < float((kept - clean).abs().mean()) < 0.3
    decoded = spectra(cut(torch.from_numpy(render(draw(4)))))[0]
    assert np.abs(decoded.numpy() - dataset.heard[4]).mean() > 0.05, "the fifth clip went through the decoder"


def test_a_batch_is_a_function_of_the_step(whole: tuple[Path, State]) -> None:
    dataset = load_dataset(TINY, whole[0])
    one, same, other = (draw_batch(dataset, TINY, step) for step in (3, 3, 4))
    assert torch.equal(one.log_mel, same.log_mel) and one.texts == same.texts
    assert not torch.equal(one.log_mel, other.log_mel)
    assert one.severity[:2].tolist() == [0.0, 0.0] and (one.severity[2:] > 0).all() and len(one.truth) == 2


def test_the_distance_is_zero_symmetric_and_forgets_the_scale_of_a_channel() -> None:
    def stages(seed: int) -> list[torch.Tensor]:
        draw_ = torch.Generator().manual_seed(seed)
        return [torch.randn(2, 6, n, n, generator=draw_, dtype=torch.float64) for n in (8, 4, 2, 2)]

    a, b = stages(0), stages(1)
    assert torch.equal(lpaps(a, a), torch.zeros(2, dtype=torch.float64))
    assert torch.allclose(lpaps(a, b), lpaps(b, a))
    assert torch.allclose(lpaps(a, [-x for x in a]), torch.full((2,), 16.0, dtype=torch.float64))
    sizes = torch.arange(1.0, 7.0, dtype=torch.float64)[:, None, None]
    assert torch.allclose(lpaps([x * sizes for x in a], b), lpaps(a, b))


def test_the_command_trains_goes_on_and_exports(
    begun: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tada_etude.listener.command import train_listener

    train_listener(begun, steps=2, tiny=True)
    assert capsys.readouterr().out.startswith("step 2, loss ")
    train_listener(begun, steps=3, export_to=tmp_path / "weights", tiny=True)
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("step 3, loss ") and out[1] == f"weights: {tmp_path / 'weights'}"
    with pytest.raises(CheckpointError, match="trained with another clips"):
        train_listener(begun)
