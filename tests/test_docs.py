"""README and docs: every Python and console block runs, in order, one namespace per document; every hook is shown."""

import inspect
import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest
from attrs import frozen

import tada_registry as tada
from tada_bench.suite import Suite
from tada_core import hookspecs
from tada_registry import front
from tada_registry.collect import HOOKS
from tada_registry.gate import Gate
from tada_registry.plugin import Plugin
from tada_registry.registry import Registry

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PLUGINS = ROOT / "docs" / "plugins.md"
# The two set-up lines are run by .ci/run, in a fresh environment.
SETUP = "pip install -c constraints.txt"
INFO = {"python", "console", "console no-test", "toml", "json", "text", "mermaid"}


@frozen
class Block:
    """A fenced block: what the fence says, the first line's number, and the lines."""

    info: str
    line: int
    text: str


def blocks(page):
    found, lines = [], page.read_text().split("\n")
    fences = [number for number, line in enumerate(lines) if line.startswith("```")]
    assert len(fences) % 2 == 0, f"{page} has an open fence"
    for start, end in zip(fences[::2], fences[1::2], strict=True):
        found.append(Block(lines[start][3:], start + 1, "\n".join(lines[start + 1 : end])))
    return found


def run_python(page, block, namespace):
    """Execute a block as the module `my_plugin`, with the page's own line numbers in a traceback."""
    exec(compile("\n" * block.line + block.text, str(page), "exec"), namespace)


def run_console(page, block, folder):
    """Run the lines after `$`; lines below a command must be in what it prints, in order."""
    site = folder / "site"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{site}:{os.environ.get('PYTHONPATH', '')}",
        "COLUMNS": "120",
        # A plugin that a page installs goes to a folder of its own, without the network.
        "PIP_TARGET": str(site),
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *shown = part.strip().split("\n")
        done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{page.name}:{block.line}: {command}\n{done.stdout}\n{done.stderr}"
        printed = done.stdout + done.stderr
        for line in shown:
            assert line in printed, f"{page.name}:{block.line}: {command} did not print '{line}' but:\n{printed}"
            printed = printed[printed.index(line) :]


@pytest.fixture
def module(monkeypatch):
    """The module that a page's Python blocks make up."""
    made = ModuleType("my_plugin")
    monkeypatch.setitem(sys.modules, "my_plugin", made)
    return made


def run_page(page, module, folder):
    for block in blocks(page):
        if block.info == "python":
            run_python(page, block, vars(module))
        elif block.info == "console" and SETUP not in block.text:
            run_console(page, block, folder)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page != PLUGINS], ids=lambda page: str(page.relative_to(ROOT))
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
