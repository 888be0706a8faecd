"""The page of features: activities against hooks by hand, the ranking, and the page in a browser."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import soundfile
import tiny
import torch
import watching
from torch import Tensor

from tada_core import Concept, Settings, SparseAutoencoder, run, seed_at
from tada_core.adapter import Call
from tada_core.audio import Audio
from tada_core.errors import ArtifactError, SpecError
from tada_core.sites import Site
from tada_sae.activity import Activity, LayerActivity
from tada_sae.autoencoder import Autoencoder
from tada_sae.command_report import sae_report
from tada_sae.features import Kind
from tada_sae.folder import check_model
from tada_sae.formats import write_saelens
from tada_sae.listening import listening
from tada_sae.ranking import lists, rank
from tada_sae.report import HALF, WIDTH, Choice, bars, report
from tada_sae.sound import data_uri

SPEED = Concept("speed", "fast {p}", "slow {p}", prompts=("a tune",), evaluation=("a song", "the organ"))
LOUD = Concept("loud", "loud {p}", "soft {p}", prompts=("a tune",), evaluation=("a <b>calm</b> song",))


def autoencoder(seed: int, k: int = 4) -> SparseAutoencoder:
    made = Autoencoder(32, 64, k, generator=torch.Generator().manual_seed(seed))
    made.encoder_bias.data += 0.05
    return made.value()


SAES = {0: autoencoder(0), 2: autoencoder(1)}


def by_hand(h: Tensor, sae: SparseAutoencoder) -> tuple[Tensor, Tensor]:
    """Activations before and after TopK, from the equations."""
    dense = torch.relu((h - sae.decoder_bias.tensor()) @ sae.encoder.tensor() + sae.encoder_bias.tensor())
    return dense, torch.where(dense >= dense.topk(sae.k).values[..., -1:], dense, 0.0)


@pytest.mark.parametrize("kind", ["dense", "topk"])
def test_activities_are_those_of_a_hand_written_hook(kind: Kind, model: tiny.Tiny) -> None:
    groups = listening([SPEED], ["a piano tune"], 2, Settings())
    rows, of = list(chain.from_iterable(group.rows for group in groups)), [0, 0, 1, 1, 2]
    observer = Activity(model, SAES, of, kind)
    run(model, rows, observer=observer, batch_size=5)
    for layer, sae in SAES.items():
        calls = watching.seen(model.denoiser.transformer_blocks[layer].attn2, model, rows)
        h = torch.stack([call[5:, 1:] for call in calls], dim=1)
        dense, kept = by_hand(h, sae)
        means = (dense if kind == "dense" else kept).mean(2)
        found = observer.of(layer)
        assert found.clips.shape == (5, 64)
        assert torch.allclose(found.clips, means.mean(1), atol=1e-5)
        assert torch.allclose(found.course[1], means[2:4].mean(0), atol=1e-5)
        assert torch.allclose(found.course[2], means[4], atol=1e-5)
        assert torch.allclose(found.means, torch.stack([means[:2], means[2:4], means[4:].repeat(2, 1, 1)]).mean((1, 2)))
        assert torch.allclose(found.fires, (kept > 0).float().mean((0, 1, 2)), atol=1e-5)
        assert found.fires.sum() > 1.0


class Plain:
    """A model of one layer with one prefix token."""

    def layer(self, index: int) -> Any:
        return type("Layer", (), {"prefix": 1})


def test_a_batch_made_again_in_halves_counts_once_and_long_courses_are_binned() -> None:
    sae, h = autoencoder(3), torch.randn(70, 4, 5, 32)
    whole, halved = (Activity(Plain(), {0: sae}, [0, 0, 1, 1]) for _ in range(2))  # type: ignore[arg-type]
    site = Site("out", 0)
    halved.begin((0, 1, 2, 3))
    halved.see(site, Call(0, 70, 1.0), (0, 1, 2, 3), h[0] + 1)
    for observer, parts in ((whole, [(0, 1, 2, 3)]), (halved, [(2, 3), (0, 1)])):
        for rows in parts:
            observer.begin(rows)
            for step in range(70):
                observer.see(site, Call(step, 70, 1.0), rows, h[step, list(rows)])
            observer.finish(rows)
    one, other = whole.of(0), halved.of(0)
    assert torch.allclose(one.clips, other.clips)
    assert torch.allclose(one.course, other.course)
    dense, _ = by_hand(h[:, :, 1:], sae)
    means = dense.mean(2).transpose(0, 1)
    assert one.course.shape == (2, 30, 64)
    assert torch.allclose(one.course[0, 0], means[:2, :3].mean((0, 1)), atol=1e-5)
    assert torch.allclose(one.course[1, 29], means[2:, 68:].mean((0, 1)), atol=1e-5)
    assert torch.allclose(one.clips, means.mean(1), atol=1e-5), "every step counts alike, whatever the bins"


def activity() -> LayerActivity:
    """Four clips, two a side; feature 0 is the first side's, 1 the other's, 2 both sides', 3 nobody's."""
    clips = torch.tensor([[2.0, 0.0, 1.0, 0.0], [4.0, 0.0, 1.0, 0.0], [0.0, 3.0, 1.0, 0.0], [1.0, 5.0, 1.0, 0.0]])
    means = torch.stack([clips[:2].mean(0), clips[2:].mean(0)])
    return LayerActivity(clips, means, means[:, None].repeat(1, 6, 1), torch.tensor([0.5, 0.25, 1.0, 0.0]))


def test_features_are_ranked_by_the_published_score() -> None:
    import math

    found = rank(activity(), 0, 1, "tfidf", 4, 3)
    assert [one.feature for one in found] == [0, 2], "features that are not active on this side are left out"
    assert found[0].score == pytest.approx(3 * math.log(1 + 1 / (0.5 + 1e-6)))
    assert (found[0].own, found[0].other, found[0].fires) == (3.0, 0.5, 0.5)
    assert (found[0].clips, found[0].active) == ((1, 0, 3), (4.0, 2.0, 1.0))
    assert found[0].course == ((3.0,) * 6, (0.5,) * 6)
    assert [one.feature for one in rank(activity(), 1, 0, "tfidf", 1, 3)] == [1]
    assert [one.feature for one in rank(activity(), 0, 1, "difference", 4, 3)] == [0]


def test_a_list_for_either_side_of_every_concept_and_layer() -> None:
    groups = listening([SPEED], ["a piano tune"], 2, Settings())
    found = lists({3: activity()}, groups, "tfidf", 1, 2)
    assert [(one["concept"], one["side"], one["layer"]) for one in found] == [
        ("speed", "positive", 3),
        ("speed", "negative", 3),
    ]
    assert [one["features"][0].feature for one in found] == [0, 1]


def test_both_sides_of_a_concept_run_on_the_same_noise_and_on_prompts_that_nothing_was_fitted_on() -> None:
    more, less, further = listening([SPEED], ["a piano tune"], 3, Settings(steps=3))
    assert [row.text for row in more.rows] == ["fast a song", "fast the organ", "fast a song"]
    assert [row.text for row in less.rows] == ["slow a song", "slow the organ", "slow a song"]
    assert [row.seed for row in more.rows] == [row.seed for row in less.rows] == [0, seed_at(0, 1), 1]
    assert [row.text for row in further.rows] == ["a piano tune"]
    assert {row.settings.steps for group in (more, less, further) for row in group.rows} == {3}


def test_bars_stand_on_the_middle_on_one_scale() -> None:
    drawn = bars(((1.0, 4.0), (2.0, 0.0)))
    assert [(bar["kind"], bar["y"], bar["height"]) for bar in drawn] == [
        ("own", 0.75 * HALF, 0.25 * HALF),
        ("own", 0.0, HALF),
        ("other", HALF, 0.5 * HALF),
        ("other", HALF, 0.0),
    ]
    assert max(bar["x"] + bar["width"] for bar in drawn) <= WIDTH
    assert all(bar["height"] == 0 for bar in bars(((0.0,), (0.0,))))


@pytest.mark.parametrize(("rate", "kind"), [(44100, "mpeg"), (100, "flac")])
@pytest.mark.parametrize("loud", [0.5, 3.0])
def test_a_clip_inside_a_page_is_the_clip(rate: int, kind: str, loud: float) -> None:
    wave = loud * torch.sin(torch.arange(20000) * 0.05)
    head, data = data_uri(Audio(wave.expand(2, -1).contiguous(), rate)).split(",")
    assert head == f"data:audio/{kind};base64"
    samples, found = soundfile.read(io.BytesIO(base64.b64decode(data)), dtype="float32")
    assert found == rate
    middle = torch.from_numpy(samples[5000:15000, 0])
    assert (middle - wave[5000:15000] / max(1.0, loud)).abs().max() < 0.1


@pytest.fixture(scope="module")
def html(model: tiny.Tiny) -> str:
    return report(model, SAES, [SPEED, LOUD], ["a piano tune"], Choice(features=6, clips=2, shown=3))


def test_the_page_needs_no_other_file(html: str) -> None:
    found = json.loads(re.search(r'id="sounds">(.*?)</script>', html, re.DOTALL)[1])  # type: ignore[index]
    buttons = set(re.findall(r'data-clip="(\d+)"', html))
    assert buttons == set(found)
    assert len(buttons) > 3
    for sound in found.values():
        assert len(soundfile.read(io.BytesIO(base64.b64decode(sound.split(",")[1])))[0]) > 10
    assert not re.search(r"(src|href)=\"(?!data:|#)", html)
    assert "http" not in html
    assert "url(" not in html


def test_the_page_has_every_list_and_says_prompts_as_text(html: str) -> None:
    assert html.startswith("<!doctype html>")
    names = re.findall(r'data-concept="(\w+)" data-side="(\w+)" data-layer="(\d)"', html)
    assert names == [(c, s, n) for c in ("speed", "loud") for s in ("positive", "negative") for n in ("0", "2")]
    assert html.count("<details") == 8 * 6
    assert html.count('<svg class="course"') == 8 * 6
    assert html.count('class="play"') == 8 * 6 * 3
    assert "a &lt;b&gt;calm&lt;/b&gt; song" in html
    assert "<b>calm" not in html


def test_the_command_writes_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: tiny.Tiny) -> None:
    import tada_registry

    monkeypatch.setattr(tada_registry, "load_model", lambda *_, **__: model)
    monkeypatch.setattr(tada_registry, "get_concept", lambda name: {"speed": SPEED, "loud": LOUD}[name])
    for layer, sae in SAES.items():
        write_saelens(sae, tmp_path / "a" / f"layer.{layer}", {"model": "tiny"})
    few = {"concept": "speed", "clips": 1, "top_features": 2, "top_clips": 1, "steps": 2}
    sae_report(tmp_path / "a", layers="2", out=tmp_path / "b" / "page.html", **few)  # type: ignore[arg-type]
    html = (tmp_path / "b" / "page.html").read_text()
    assert set(re.findall(r'data-layer="(\d)"', html)) == {"2"}
    assert html.count("<details") == 4
    with pytest.raises(SpecError, match="--score takes tfidf, difference, mean; not 'best'"):
        sae_report(tmp_path / "a", score="best", **few)  # type: ignore[arg-type]
    with pytest.raises(ArtifactError, match=r"no folder layer.<number> in .*choose one of: .*/a"):
        sae_report(tmp_path, **few)  # type: ignore[arg-type]
    write_saelens(SAES[0], tmp_path / "a" / "layer.2", {"model": "other"})
    with pytest.raises(ArtifactError, match=r"layer\.2' was trained on 'other', not on 'tiny'"):
        check_model(tmp_path / "a", model)


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """An installed Chromium."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("no Chromium on this machine; .ci/run installs one and runs these tests (pytest -m browser)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        found = playwright.chromium.launch(executable_path=path, args=options)
        yield found
        found.close()


@pytest.fixture
def page(browser: Any, html: str, tmp_path: Path) -> Iterator[Any]:
    """The page, opened from the disk; closing it fails the test when anything was reported in its console."""
    (tmp_path / "page.html").write_text(html)
    opened, wrong = browser.new_page(), list[str]()
    opened.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(f"file://{tmp_path / 'page.html'}")
    yield opened
    opened.close()
    assert wrong == []


@pytest.mark.browser
def test_one_list_is_shown_and_chosen_from_the_keyboard(page: Any) -> None:
    shown = page.locator(".list:visible")
    assert shown.count() == 1
    assert "more speed, layer 0" in shown.inner_text()
    page.focus("input[name=side]:checked")
    page.keyboard.press("ArrowRight")
    assert "less speed, layer 0" in shown.inner_text()
    page.locator(".pills label", has_text="loud").click()
    page.focus("input[name=layer]:checked")
    page.keyboard.press("ArrowRight")
    assert shown.count() == 1
    assert "less loud, layer 2" in shown.inner_text()


@pytest.mark.browser
def test_a_feature_opens_and_a_clip_plays_from_the_keyboard(page: Any) -> None:
    second = page.locator(".list:visible .feature").nth(1)
    assert second.get_attribute("open") is None
    second.locator("summary").focus()
    page.keyboard.press("Enter")
    assert second.get_attribute("open") is not None
    button = second.locator(".play").first
    button.focus()
    page.keyboard.press("Enter")
    place = button.get_attribute("data-clip")
    page.wait_for_function("document.getElementById('audio').src.startsWith('data:audio/')")
    sounds = page.evaluate("JSON.parse(document.getElementById('sounds').textContent)")
    assert page.locator("#audio").evaluate("audio => audio.src") == sounds[place]


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
