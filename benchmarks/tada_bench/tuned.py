"""A model whose own settings are a suite's, so that methods are fitted under the conditions they are judged under."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from attrs import evolve

from tada_core.generation import Settings

if TYPE_CHECKING:
    from tada_core.adapter import ModelAdapter


def tuned(model: ModelAdapter, settings: Settings) -> ModelAdapter:
    """The model itself where nothing differs, else a shallow copy; lyrics are the concept's (`Concept.lyrics`)."""
    asked, own = (model.resolve(evolve(one, lyrics="")) for one in (settings, Settings()))
    if asked == own:
        return model
    assert asked.seconds is not None and asked.steps is not None and asked.guidance is not None
    made = copy(model)
    made.defaults = evolve(model.defaults, seconds=asked.seconds, steps=asked.steps, guidance=asked.guidance)
    return made
