"""The page in a real browser, opened from the disk like a user would."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from bench_fakes import SUITE, bench

from tada_bench.page.build import report
from tada_bench.suite import Arm

pytestmark = pytest.mark.browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """An installed Chromium; continuous integration must have one."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: apt-get install chromium")
        pytest.skip("no Chromium on this machine; .ci/run installs one and runs these tests (pytest -m browser)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with two metrics, quality, and every section there is."""
    store = tmp_path_factory.mktemp("browser") / "store"
    bench(store, evolve(SUITE, name="tada-table3", alignment=("probes", "loudness"), quality=("beauty",)))
    return report(store).page.parent


@pytest.fixture
def page(browser: Any, folder: Path) -> Iterator[Any]:
    """The page, opened; closing it fails the test when anything was reported in its console."""
    opened = browser.new_page()
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(f"file://{folder / 'index.html'}")
    yield opened
    opened.close()
    assert wrong == []


def source(page: Any) -> str:
    return str(page.eval_on_selector("#audio", "audio => audio.getAttribute('src')"))


def time(page: Any) -> float:
    return float(page.eval_on_selector("#audio", "audio => audio.currentTime"))


def wait_until_after(page: Any, seconds: float) -> None:
    page.wait_for_function(f"document.getElementById('audio').currentTime > {seconds}", timeout=5000)


def test_page_shows_heat_map_curves_table_and_player(page: Any) -> None:
    assert page.locator(".heat td").count() == 2 * 3
    assert page.locator(".chart").count() == 2
    assert page.locator(".chart .point").count() == 2 * (5 + 3 + 3)
    assert page.locator("section[aria-labelledby=numbers] tbody tr").count() == 2 * 2 * 3
    assert page.locator("#player").is_visible()
    assert page.locator("#picture").evaluate("image => image.naturalWidth") == 240


def test_slider_changes_the_clip_and_its_reading(page: Any) -> None:
    first, text = source(page), page.inner_text("#readout")
    assert page.inner_text("#value") == "0 (unsteered)"
    page.focus("#strength")
    page.keyboard.press("ArrowRight")
    assert source(page) != first
    assert page.inner_text("#value") == "+0.5"
    assert page.inner_text("#readout") != text
    page.keyboard.press("Home")
    assert page.inner_text("#value") == "\u22121"
    assert page.locator(".chart .now").count() == 1


def test_audio_plays_keeps_its_place_and_goes_on_when_the_clip_is_swapped(page: Any) -> None:
    page.click("#play")
    wait_until_after(page, 0.4)
    before = source(page)
    page.focus("#strength")
    page.keyboard.press("ArrowRight")
    assert source(page) != before
    assert time(page) >= 0.4
    wait_until_after(page, 0.8)
    assert page.get_attribute("#play", "aria-label") == "Pause"
    page.click("#play")
    still = time(page)
    page.keyboard.press("ArrowLeft")
    page.focus("#strength")
    page.keyboard.press("End")
    assert page.eval_on_selector("#audio", "audio => audio.paused")
    page.wait_for_function("document.getElementById('audio').readyState > 0")
    assert abs(time(page) - still) < 0.05
    assert page.is_hidden("#trouble")


def test_unsteered_and_back(page: Any) -> None:
    page.focus("#strength")
    page.keyboard.press("End")
    steered = source(page)
    page.click("#compare")
    assert page.inner_text("#value") == "0 (unsteered)"
    page.click("#compare")
    assert source(page) == steered


def test_concept_method_prompt_and_seed_choose_the_sweep(page: Any) -> None:
    page.focus("#strength")
    page.keyboard.press("End")
    seen = {source(page)}
    for name in ("drums", "shift local"):
        page.locator(".pills label", has_text=name).click()
        seen.add(source(page))
    page.select_option("#prompt", "tune 2")
    seen.add(source(page))
    page.select_option("#seed", "1")
    seen.add(source(page))
    assert len(seen) == 5
    assert "tune 2" in page.inner_text("#text")


def test_choices_work_from_the_keyboard(page: Any) -> None:
    page.focus("#concepts input:checked")
    page.keyboard.press("ArrowRight")
    assert page.eval_on_selector("#concepts input:checked", "input => input.value") == "drums"
    assert page.evaluate("document.activeElement.value") == "drums"


def test_a_point_of_a_curve_can_be_heard_and_another_metric_drawn(page: Any) -> None:
    page.locator(".chart .point").nth(4).click()
    assert page.inner_text("#value") == "+1"
    page.select_option("#metric", "loudness")
    assert page.locator(".chart .point").count() == 2 * (5 + 3 + 3)
    assert page.inner_text("#value") == "+1"


def test_heat_map_tells_its_interval_to_the_keyboard(page: Any) -> None:
    page.locator(".heat td").first.focus()
    assert "95% interval" in page.inner_text("#heat-detail")


def test_a_missing_clip_is_said(browser: Any, folder: Path, tmp_path: Path) -> None:
    alone = Path(shutil.copy(folder / "index.html", tmp_path))
    opened = browser.new_page()
    opened.goto(f"file://{alone}")
    opened.wait_for_selector("#trouble:visible")
    opened.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_wider_than_the_window(browser: Any, folder: Path, width: int) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 800})
    opened.goto(f"file://{folder / 'index.html'}")
    opened.evaluate("document.querySelectorAll('details').forEach(one => (one.open = true))")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    opened.close()


def test_the_tables_fit_a_wide_window_without_scrolling(browser: Any, folder: Path) -> None:
    opened = browser.new_page(viewport={"width": 1280, "height": 800})
    opened.goto(f"file://{folder / 'index.html'}")
    wide = "boxes => boxes.map(box => box.scrollWidth - box.clientWidth)"
    assert max(opened.eval_on_selector_all("section .scroll", wide)) <= 0
    opened.close()


LABELS = """spans => spans.filter(span => span.textContent).map(span => {
    const range = document.createRange();
    range.selectNodeContents(span);
    const box = range.getBoundingClientRect();
    return [box.left, box.right, span.textContent];
})"""


@pytest.mark.parametrize("width", [390, 1280])
def test_many_strengths_and_methods_do_not_hide_each_other(browser: Any, tmp_path: Path, width: int) -> None:
    many = tuple(number / 15 for number in range(-15, 16))
    arms = tuple(Arm("shift", (0, place), many) for place in range(3)) + SUITE.arms[1:]
    bench(tmp_path / "store", evolve(SUITE, arms=arms, concepts=("tempo",), prompts=2, seeds=(0,)))
    opened = browser.new_page(viewport={"width": width, "height": 800})
    opened.goto(f"file://{report(tmp_path / 'store').page}")
    opened.locator(".pills label", has_text="shift 0+1").click()
    assert opened.locator("#ticks span").count() == 31
    edges = opened.eval_on_selector_all("#ticks span", LABELS)
    assert [text for *_, text in edges][:: len(edges) - 1] == ["\u22121", "+1"] and "0" in {text for *_, text in edges}
    assert all(left[1] < right[0] for left, right in pairwise(edges))
    bands = opened.locator(".band")
    seen = {one.get_attribute("data-arm") for one in bands.all() if "none" not in (one.get_attribute("style") or "")}
    assert seen == {"shift 0+1"} and bands.count() == 2 * len(arms)
    opened.close()


def colour(page: Any, selector: str) -> str:
    return str(page.locator(selector).first.evaluate("cell => getComputedStyle(cell).color"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_cannot_be_told_apart_is_grey_and_the_best_is_bold(browser: Any, folder: Path, scheme: str) -> None:
    opened = browser.new_page(color_scheme=scheme)
    opened.goto(f"file://{folder / 'index.html'}")
    rows = opened.locator("section[aria-labelledby=real] tbody tr")
    assert rows.count() == 2 * 3 * 3
    assert opened.locator("text=3 prompts cannot distinguish anything").first.is_visible()
    assert rows.first.locator("th").text_content() == "shift all and shift local cannot be told apart"
    assert colour(opened, "td.same") == colour(opened, ".detail") != colour(opened, "section[aria-labelledby=real] h3")
    best = opened.locator("section[aria-labelledby=numbers] tbody tr:has(b)")
    assert {best.nth(row).locator("td").first.inner_text() for row in range(best.count())} == {"shift all {0-2}"}
    assert int(best.first.locator("b").first.evaluate("cell => getComputedStyle(cell).fontWeight")) > 600
    opened.close()
