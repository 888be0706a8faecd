"""An experiment: the source, target and patched runs behind a localisation, and their scores."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from tada_core.adapter import ModelAdapter
from tada_core.concept import Concept
from tada_core.engine.run import generations, run
from tada_core.generation import Row, Settings, seed_at
from tada_core.interventions import Ablate, Intervention, PatchKV, PatchOutput, PatchText
from tada_core.localization.impact import Impact
from tada_core.localization.pair import Pair
from tada_core.localization.part import Part
from tada_core.maths.impact import Mode
from tada_core.metric import Metric
from tada_core.progress import Progress
from tada_core.sites import Site

Array = NDArray[np.float64]
Patched = Literal["text", "k", "v", "out"]
"""What is patched: a layer's text input, its keys, its values, or its output."""


@frozen
class Case:
    """One base prompt with the templates that the source and the target run put around it."""

    prompt: str
    source: str
    target: str


@frozen(eq=False)
class Experiment:
    """What a localisation compares; `tada_core.localization.design` makes one out of what a user says."""

    model: ModelAdapter
    concept: Concept
    readout: Metric
    base: str
    cases: tuple[Case, ...]
    pairs: tuple[Pair, ...]
    seeds: tuple[int, ...]
    settings: Settings
    parts: tuple[Part, ...]
    slot: Patched
    mode: Mode
    batch_size: int | None = None

    def rows(self, places: Iterable[int], parts: Sequence[Part]) -> list[Row]:
        """For each case and seed the source run, the target run, and one run per part."""
        every = [(place, seed) for place in places for seed in self.seeds]
        return [row for place, seed in every for row in self._runs(place, seed, parts)]

    def _runs(self, place: int, seed: int, parts: Sequence[Part]) -> list[Row]:
        case, noise = self.cases[place], seed_at(seed, place)
        source, target = (Row(case.prompt, noise, side, self.settings) for side in (case.source, case.target))
        host, donor = (source, case.target) if self.mode == "denoising" else (target, case.source)
        return [source, target, *(evolve(host, interventions=self._change(donor, part)) for part in parts)]

    def _change(self, donor: str, part: Part) -> tuple[Intervention, ...]:
        layers, when = part.layers, part.schedule
        if self.mode == "ablation":
            return tuple(Ablate(Site(self.slot, layer), schedule=when) for layer in layers)
        if self.slot == "text":
            return (PatchText(donor, layers, schedule=when),)
        if self.slot == "out":
            return (PatchOutput(donor, layers, schedule=when),)
        return (PatchKV(donor, layers, (self.slot,), schedule=when),)

    def count(self, places: Sequence[int], parts: Sequence[Part]) -> int:
        """Clips that the model makes for these cases and parts, donors of slot "out" included."""
        return generations(self.model, self.rows(places, parts), self.batch_size)

    def measure(self, places: Sequence[int], parts: Sequence[Part], progress: Progress | None = None) -> Array:
        """Scores of the source, the target and every part's runs, [2 + parts, cases, seeds]."""
        clips = run(self.model, self.rows(places, parts), batch_size=self.batch_size, progress=progress)
        scores = self.readout.score([clip.audio for clip in clips], self.concept)
        return np.moveaxis(scores.reshape(len(places), len(self.seeds), len(parts) + 2), -1, 0)

    def impact(self, scores: Array, spent: int) -> Impact:
        """The result of scores [2 + parts, cases, seeds] of the first cases."""
        layers = self.model.pick(layer for part in self.parts for layer in part.layers)
        count = scores.shape[1]
        return Impact(
            model=self.model.name,
            concept=self.concept.name,
            readout=self.readout.name,
            base=self.base,
            layers=layers,
            paths=tuple(self.model.layer(layer).path for layer in layers),
            prompts=tuple(case.prompt for case in self.cases[:count]),
            seeds=self.seeds,
            source=scores[0],
            target=scores[1],
            patched=scores[2:],
            parts=self.parts,
            slot=self.slot,
            mode=self.mode,
            pairs=self.pairs[:count],
            generations=spent,
        )
