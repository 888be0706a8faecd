"""etude, loaded once for all measurements."""

from __future__ import annotations

import pytest

import tada_registry as tada
from tada_core import ModelAdapter


@pytest.fixture(scope="session")
def model() -> ModelAdapter:
    """The embedded model."""
    loaded: ModelAdapter = tada.load_model("etude")
    return loaded
