"""README and docs: every Python and console block runs, in order, one namespace per document; every hook is shown."""

import inspect
from importlib.metadata import EntryPoint

import pytest
from pages import GUIDES, PAGES, PLUGINS, ROOT, SETUP, blocks, run_page

import tada_registry as tada
from tada_bench.suite import Suite
from tada_core import hookspecs
from tada_registry import front
from tada_registry.collect import HOOKS
from tada_registry.gate import Gate
from tada_registry.plugin import Plugin
from tada_registry.registry import Registry

INFO = {"python", "console", "console no-test", "toml", "json", "text", "mermaid"}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in (PLUGINS, *GUIDES)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_block_runs(page, module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page, module, tmp_path)


def test_the_plugin_page_makes_a_plugin_with_every_hook(module, tmp_path, monkeypatch):
    """Its blocks run; then each hook's entries are accepted, and load as what their kind asks for."""
    monkeypatch.chdir(tmp_path)
    run_page(PLUGINS, module, tmp_path)
    made = Registry([Plugin("mine", "mine", "1", EntryPoint("mine", "my_plugin", "tada"))], Gate())
    monkeypatch.setattr(front, "registry", lambda: made)
    assert not made.problems()
    names = {entry.kind: entry.name for entry in made.entries()}
    assert set(names) == set(HOOKS.values())
    assert tada.load_model(names["model"]).name == names["model"]
    assert tada.get_method(names["method"]).name == names["method"]
    assert tada.get_metric(names["metric"]).name == names["metric"]
    assert tada.get_concept(names["concept"]).name == names["concept"]
    assert isinstance(tada.get_suite(names["suite"]), Suite)
    assert callable(made.load("command", names["command"]))


def test_every_fence_says_what_it_holds():
    every = [(page.name, block.line, block.info) for page in PAGES for block in blocks(page)]
    assert not [place for place in every if place[-1] not in INFO]


def test_only_the_two_setup_lines_are_left_to_ci():
    left = [line for page in PAGES for block in blocks(page) for line in block.text.split("\n") if SETUP in line]
    assert len(left) == 2
    assert "pip install" in (ROOT / ".ci" / "run").read_text()


def section(hook):
    """The part of the plugin page under a hook's heading, which is its signature."""
    signature = f"{hook}() -> {inspect.get_annotations(getattr(hookspecs, hook))['return']}"
    heading = f"### `{signature}`\n"
    text = PLUGINS.read_text()
    assert text.count(heading) == 1, f"docs/plugins.md needs the heading {heading}"
    return text.split(heading)[1].split("\n### ")[0].split("\n## ")[0]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented(hook):
    function = getattr(hookspecs, hook)
    assert inspect.getdoc(function)
    assert not inspect.signature(function).parameters
    assert "```python\n" in section(hook)
    assert f"@hookimpl\ndef {hook}() -> list[Entry]:" in section(hook)
