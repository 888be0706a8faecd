"""Every registered model but etude, as a small random instance: how it is built, loaded and run."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any

import ace_folder
from attrs import evolve, field, frozen

from models import ace_step_15, audioldm2, longcat, musicgen, stable_audio_3, stable_audio_open
from tada_ace_step.guidance import Guidance
from tada_ace_step.pipeline import Options
from tada_ace_step_15.adapter import AceStep15
from tada_audioldm2.adapter import AudioLDM2
from tada_core import Settings
from tada_core.adapter import ModelAdapter
from tada_longcat.adapter import LongCat
from tada_musicgen.adapter import MusicGen
from tada_stable_audio.adapter import StableAudio3, StableAudioOpen


@frozen
class Case:
    """One small model.

    Attributes:
        build: saves it in a folder.
        adapter: loads it.
        settings: of a quick run.
        options: of `build`.
        load: options of the adapter's `load`.
        other: a prompt that is heard as another one than "a calm tune"; of its length where that matters.
    """

    build: Callable[..., Path]
    adapter: type[ModelAdapter]
    settings: Settings
    options: dict[str, Any] = field(factory=dict)
    load: dict[str, Any] = field(factory=dict)
    other: str = "a fast loud tune"


TWO_SECONDS = Settings(seconds=2.0, steps=2)
LOUD = "a loud tune"

SMALL = {
    "ace-step": Case(
        ace_folder.build,
        ace_folder.AceStep,
        Settings(seconds=1.0, steps=2),
        load={"options": Options(Guidance(interval=0.5))},
    ),
    "ace-step-1.5": Case(ace_step_15.build, AceStep15, TWO_SECONDS, other=LOUD),
    "ace-step-1.5-turbo": Case(ace_step_15.build, AceStep15, TWO_SECONDS, {"turbo": True}, other=LOUD),
    "audioldm2": Case(audioldm2.build, AudioLDM2, Settings(seconds=0.64, steps=2)),
    "longcat": Case(longcat.build, LongCat, TWO_SECONDS),
    "musicgen": Case(musicgen.build, MusicGen, Settings(seconds=0.4)),
    "musicgen-stereo": Case(musicgen.build, MusicGen, Settings(seconds=0.4), {"stereo": True}),
    "stable-audio-3": Case(stable_audio_3.build, StableAudio3, TWO_SECONDS),
    "stable-audio-3-distilled": Case(stable_audio_3.build, StableAudio3, TWO_SECONDS, {"distilled": True}),
    "stable-audio-open": Case(stable_audio_open.build, StableAudioOpen, Settings(seconds=0.9, steps=2)),
}


class Shelf:
    """Small models, built and loaded when they are first asked for.

    Args:
        folder: makes a new empty folder.
    """

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._new = folder
        self._folders: dict[str, Path] = {}
        self._models: dict[str, ModelAdapter] = {}

    def folder(self, name: str) -> Path:
        """Where a model is saved."""
        if name not in self._folders:
            case = SMALL[name]
            self._folders[name] = case.build(self._new(), **case.options)
        return self._folders[name]

    def quick(self, name: str) -> ModelAdapter:
        """The same model with a quick run as its default."""
        model, settings = copy(self.load(name)), SMALL[name].settings
        quick = model.resolve(settings)
        assert quick.seconds is not None and quick.steps is not None
        model.defaults = evolve(model.defaults, seconds=quick.seconds, steps=quick.steps)
        return model

    def load(self, name: str) -> ModelAdapter:
        """A model, loaded."""
        if name not in self._models:
            case = SMALL[name]
            self._models[name] = case.adapter.load(str(self.folder(name)), **case.load)
        return self._models[name]
