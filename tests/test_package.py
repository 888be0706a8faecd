"""The distribution: what the wheel holds, which part may import which, and what stays unloaded."""

import ast
import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WHEEL = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
PACKAGES = [ROOT / folder for folder in WHEEL["only-include"]]
PLUGINS = {path.name for path in PACKAGES if path.parent.name == "plugins"}
# Each part of the architecture, and whom it may import besides itself.
ALLOWED = {
    "tada_core": set(),
    "tada_registry": {"tada_core"},
    "tada_bench": {"tada_core", "tada_registry"},
    **{plugin: {"tada_core"} for plugin in PLUGINS},
}
HEAVY = {"torch", "diffusers", "transformers", "nnsight", "numpy", "matplotlib"}


def test_types_are_checked_in_every_package():
    assert set(PROJECT["tool"]["mypy"]["packages"]) == {package.name for package in PACKAGES}


def sources():
    return [(package.name, path) for package in PACKAGES for path in sorted(package.rglob("*.py"))]


def imported(path):
    """Full names of the modules a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} uses a relative import"
            yield node.module


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The built wheel."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_has_only_our_packages_at_its_top_level(wheel):
    top = {name.split("/")[0] for name in wheel.namelist()}
    version = PROJECT["project"]["version"]
    assert top == {package.name for package in PACKAGES} | {f"tada_core-{version}.dist-info"}
    assert all(name.startswith("tada_") for name in top)


def test_the_wheel_holds_every_file_that_git_tracks_in_the_packages(wheel):
    folders = [str(package.relative_to(ROOT)) for package in PACKAGES]
    tracked = subprocess.run(
        ["git", "ls-files", "--", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    wanted = {name.removeprefix("plugins/").removeprefix("registry/").removeprefix("benchmarks/") for name in tracked}
    assert wanted - {""} <= set(wheel.namelist())


def test_every_package_is_marked_as_typed(wheel):
    assert {f"{package.name}/py.typed" for package in PACKAGES} <= set(wheel.namelist())


def test_the_wheel_registers_the_command_and_every_plugin(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    text = wheel.read(name).decode()
    assert "tada = tada_bench.app:main" in text
    assert all(f" = {plugin}\n" in f"{text}\n" for plugin in PLUGINS)


def allowed(package, path):
    """A plugin's command is a front end: it may look things up by name, as anybody's program does."""
    command = package in PLUGINS and path.stem.startswith("command")
    return ALLOWED[package] | {package} | ({"tada_registry"} if command else set())


def test_imports_point_one_way():
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for package, path in sources()
        for module in imported(path)
        if (root := module.split(".")[0]).startswith("tada_") and root not in allowed(package, path)
    ]
    assert not wrong


def test_nnsight_is_imported_in_exactly_one_module():
    users = {path for _, path in sources() for module in imported(path) if module.split(".")[0] == "nnsight"}
    assert [str(path.relative_to(ROOT)) for path in users] == ["tada_core/engine/trace.py"]


@pytest.mark.parametrize(
    "code",
    [
        "import tada_registry",
        "import tada_registry; tada_registry.records()",
        "from tada_bench.app import main; main(['--help'])",
        "from tada_bench.app import main; main(['plugins'])",
        "from tada_bench.app import main; main(['plugins', '--json'])",
    ],
)
def test_listing_loads_nothing_heavy(code):
    tell = "import atexit, json, sys; atexit.register(lambda: print(json.dumps([*sys.modules]), file=sys.stderr))"
    done = subprocess.run([sys.executable, "-c", f"{tell}\n{code}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stderr.splitlines()[-1])
    assert "tada_registry.registry" in loaded
    assert not HEAVY & set(loaded)


def test_plugins_have_the_shape_of_anybodys():
    """A first-party plugin loads through the entry points alone: one per folder, in group "tada"."""
    points = PROJECT["project"]["entry-points"]["tada"]
    assert set(points.values()) == PLUGINS | {"tada_bench"}
    assert {path.name for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists()} == PLUGINS
