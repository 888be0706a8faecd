"""Real distributions, built and installed with pip: what they do right is usable, what they do wrong is listed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCES = Path(__file__).parent / "thirdparty"
KEYS = ["kind", "name", "summary", "plugin", "distribution", "version", "extra", "installed", "licence", "problem"]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder with all distributions of `thirdparty/` installed."""
    target = tmp_path_factory.mktemp("site")
    flags = [
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    sources = sorted(str(folder) for folder in SOURCES.iterdir() if (folder / "pyproject.toml").exists())
    command = [sys.executable, "-m", "pip", "install", *flags, "--target", str(target), *sources]
    subprocess.run(command, check=True, timeout=180)
    return target


def python(site, *arguments, **environment):
    """Run Python with the third-party distributions on its path."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TADA_")}
    return subprocess.run(
        [sys.executable, *arguments],
        env={**clean, "PYTHONPATH": str(site), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def tada(site, *arguments, **environment):
    return python(site, "-c", "from tada_bench.app import main; main()", *arguments, **environment)


def listed(site, **environment):
    done = tada(site, "plugins", "--json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def rows(site):
    return listed(site)


def of(rows, plugin, distribution=None):
    return [row for row in rows if row["plugin"] == plugin and distribution in (None, row["distribution"])]


def only_problem(rows, plugin, distribution=None):
    (row,) = of(rows, plugin, distribution)
    assert (row["kind"], row["name"], row["installed"]) == ("plugin", plugin, False)
    return row["problem"]


def test_every_row_has_exactly_the_documented_keys(rows):
    assert all(list(row) == KEYS for row in rows)


def test_a_good_plugin_is_listed_under_every_kind(rows):
    good = of(rows, "good", "acme-good")
    assert {row["kind"] for row in good} == {"model", "method", "metric", "concept", "suite", "command"}
    assert all(row["problem"] is None and row["installed"] and row["version"] == "1.2.3" for row in good)
    assert [row["licence"] for row in good if row["kind"] == "method"] == ["MIT"]


def test_first_party_rows_come_first_and_have_no_problem_but_a_missing_extra(rows):
    ours = [place for place, row in enumerate(rows) if row["distribution"] == "tada-core"]
    assert ours == list(range(len(ours)))
    wanting = [row for row in rows[: len(ours)] if row["problem"]]
    assert all(f'pip install "tada-core[{row["extra"]}]"' in row["problem"] and row["extra"] for row in wanting)


def test_a_broken_import_names_what_failed(rows):
    assert "No module named 'acme_no_such_module'" in only_problem(rows, "broken")


def test_a_plugin_that_prints_and_exits_spoils_nothing(rows):
    assert "SystemExit: 3" in only_problem(rows, "exiting")


def test_a_duplicate_keeps_the_first_party_owner_and_names_both(rows):
    taken = [row for row in rows if (row["kind"], row["name"]) == ("method", "caa")]
    assert [(row["plugin"], row["problem"] is None) for row in taken] == [("caa", True), ("duplicate", False)]
    assert "tada-core" in taken[1]["problem"]
    assert "acme-duplicate" in taken[1]["problem"]
    assert [row["problem"] for row in rows if row["name"] == "acme-free"] == [None]


def test_a_plugin_name_that_is_taken_is_refused(rows):
    problem = only_problem(rows, "good", "zzz-namesake")
    assert "acme-good" in problem
    assert "zzz-namesake" in problem


def test_a_mistyped_hook_is_named_with_its_neighbour(rows):
    assert "unknown hook 'tada_metods'; nearest: tada_methods" in only_problem(rows, "typo")


def test_a_hook_without_its_mark_is_found(rows):
    assert "tada_methods is not marked" in only_problem(rows, "unmarked")


def test_a_hook_that_raises_leaves_the_plugins_other_hooks(rows):
    raising = {row["kind"]: row for row in of(rows, "raising")}
    assert "RuntimeError: no methods today" in raising["plugin"]["problem"]
    assert raising["concept"]["problem"] is None


def test_entries_of_the_wrong_kind_and_other_values_are_refused(rows):
    problems = sorted(row["problem"] for row in of(rows, "wrong"))
    assert "tada_concepts returned str 'tempo'" in problems[0]
    assert "tada_methods returned the metric 'acme-metric'; return it from tada_metrics" in problems[1]


def test_a_missing_extra_names_its_own_distribution(rows):
    (row,) = of(rows, "extra")
    assert (row["kind"], row["installed"], row["extra"]) == ("metric", False, "heavy")
    assert row["problem"] == "metric 'acme-heavy' needs acme_no_such_module: pip install \"acme-extra[heavy]\""


def test_a_blocked_plugin_is_never_imported(site):
    rows = listed(site, TADA_BLOCK="broken, caa")
    assert "TADA_BLOCK" in only_problem(rows, "broken")
    assert "TADA_BLOCK" in only_problem(rows, "caa")
    assert [row["plugin"] for row in rows if row["name"] == "caa" and row["problem"] is None] == ["duplicate"]


def test_only_allowed_plugins_come_in(site):
    rows = listed(site, TADA_ALLOW="good")
    assert {row["plugin"] for row in rows if row["problem"] is None} == {"good"}
    assert "TADA_ALLOW" in only_problem(rows, "broken")


def test_a_third_party_method_is_usable_beside_broken_plugins(site):
    code = "import tada_registry as t; print(type(t.get_method('acme-nudge')).__module__, t.get_suite('acme-suite'))"
    done = python(site, "-c", code)
    assert done.stdout == "acme_good a suite\n", done.stderr


def test_a_third_party_command_is_listed_and_runs(site):
    assert "acme-hello" in tada(site, "--help").stdout
    assert tada(site, "acme-hello").stdout == "hello from acme\n"


def test_a_missing_extra_is_one_line_when_used(site):
    done = tada(site, "localize", "acme-loudness", "--readout", "acme-heavy", TADA_BLOCK="exiting")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: metric 'acme-heavy' needs acme_no_such_module: pip install")
