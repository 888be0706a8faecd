"""Shared fixtures; shapes of the equations are checked at run time in every test."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType

# Where tests run side by side, torch's own threads would wait for each other; before anything imports torch.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"

import pytest
from jaxtyping import install_import_hook

sys.path.insert(0, str(Path(__file__).parent))

with install_import_hook("tada_core.maths", "beartype.beartype"):
    import tada_core.maths.ablate
    import tada_core.maths.add_vector
    import tada_core.maths.blend
    import tada_core.maths.low_rank
    import tada_core.maths.renorm
    import tada_core.maths.sae
    import tada_core.maths.trajectory  # noqa: F401


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module that a page's Python blocks make up."""
    made = ModuleType("my_plugin")
    monkeypatch.setitem(sys.modules, "my_plugin", made)
    return made


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved random pipeline."""
    import tiny

    folder = tmp_path_factory.mktemp("tiny")
    tiny.build(folder)
    return folder


@pytest.fixture(scope="session")
def model(tiny_folder: Path) -> object:
    """The random pipeline behind its adapter, fp32."""
    import tiny

    return tiny.build(tiny_folder)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Small instances of every model, each built once."""
    from models.cases import Shelf

    return Shelf(lambda: tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def wide(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A small AudioLDM2 of layers of several widths."""
    import uneven

    made = uneven.build(tmp_path_factory.mktemp("uneven"))
    assert len({layer.width for layer in made.layers}) > 1
    return made
