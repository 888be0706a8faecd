"""Pages of the documents as programs: their fenced blocks, and how a page is run."""

import os
import re
import subprocess
import sys
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GUIDES = [ROOT / "docs" / f"{name}.md" for name in ("compose", "counterfactuals", "localize", "sae", "sliders")]
"""Pages that are run in a file of their own, beside the others."""
PLUGINS = ROOT / "docs" / "plugins.md"
# The two set-up lines are run by .ci/run, in a fresh environment.
SETUP = "pip install -c constraints.txt"


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


def run_page(page, module, folder):
    for block in blocks(page):
        if block.info == "python":
            run_python(page, block, vars(module))
        elif block.info == "console" and SETUP not in block.text:
            run_console(page, block, folder)
