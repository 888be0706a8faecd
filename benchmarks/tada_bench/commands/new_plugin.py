"""`tada new-plugin`: a small plugin project with a working method and its test."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from tada_core.errors import SpecError

_FILES = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "tada_MODULE/__init__.py": "__init__.py.txt",
    "tada_MODULE/method.py": "method.py.txt",
    "tests/test_MODULE.py": "test.py.txt",
}


def new_plugin(
    name: Annotated[str, typer.Argument(help="Name of the plugin and of its method, such as nudge.")],
    folder: Annotated[Path | None, typer.Option(help="Where to write it; default tada-NAME.")] = None,
) -> None:
    """Write a small plugin project, ready to install: a steering method that works, and its test."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise SpecError(f"'{name}' is no plugin name; use small letters, digits and single hyphens, such as nudge")
    folder = Path(f"tada-{name}") if folder is None else folder
    if folder.exists():
        raise SpecError(f"{folder} exists already; choose another name, or --folder")
    for path in write_plugin(name, folder):
        print(path)
    print(f"\nnext: pip install -e {folder} && tada plugins && pytest {folder}")


def write_plugin(name: str, folder: Path) -> list[Path]:
    """Fill `folder` with the project; returns the files written."""
    skeleton, module = files("tada_bench.commands") / "skeleton", name.replace("-", "_")
    written = []
    for place, source in _FILES.items():
        path = folder / place.replace("MODULE", module)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((skeleton / source).read_text().replace("NAME", name).replace("MODULE", module))
        written.append(path)
    return written
