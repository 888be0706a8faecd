"""A harness's worth of fakes: a model of arithmetic, so that the store can be tested without a network."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from attrs import define, field, frozen

from tada_bench.run import run_suite
from tada_bench.store.store import Store
from tada_bench.suite import Arm, Fitting, Localization, Suite
from tada_core.adapter import Defaults
from tada_core.artifact import Artifact
from tada_core.audio import Audio
from tada_core.clip import Clip
from tada_core.concept import Concept
from tada_core.errors import unknown
from tada_core.generation import Row, Settings
from tada_core.interventions import Intervention, ShiftPrompt
from tada_core.localization.impact import Impact
from tada_core.sites import Layer

RATE, SECONDS = 16000, 3

CONCEPTS = {
    name: Concept(
        name,
        f"{{p}}, {high}",
        f"{{p}}, {low}",
        prompts=[f"fitting tune {i}" for i in range(4)],
        evaluation=[f"tune {i}" for i in range(4)],
        probe=name,
    )
    for name, high, low in (("tempo", "fast", "slow"), ("drums", "with drums", "without drums"))
}


class Model:
    """As much of an adapter as the harness looks at."""

    name = "fake"
    licence = "Apache-2.0"
    rate = RATE
    defaults = Defaults(seconds=SECONDS, steps=4, guidance=3.0, batch=4)

    def __init__(self, weight: float = 1.0, **options: Any) -> None:
        self.options = options
        self.denoiser = torch.nn.Linear(1, 1)
        self.denoiser.load_state_dict({"weight": torch.tensor([[weight]]), "bias": torch.zeros(1)})
        self.layers = tuple(Layer(index, f"attn.{index}", f"block.{index}", 4) for index in range(3))

    def parts(self) -> dict[str, torch.nn.Module]:
        return {"denoiser": self.denoiser}

    def resolve(self, settings: Settings) -> Settings:
        return Settings(settings.seconds or SECONDS, settings.steps or 4, settings.guidance or 3.0, settings.lyrics)

    def pick(self, layers: Sequence[int] | None) -> tuple[int, ...]:
        chosen = tuple(range(3)) if layers is None else tuple(layers)
        for layer in chosen:
            if layer not in range(3):
                raise unknown("layer", layer, "012")
        return chosen


@frozen(eq=False)
class ShiftArtifact(Artifact):
    method = "shift"

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        return (ShiftPrompt(self.concept.positive, self.concept.negative, strength * len(self.layers)),)


@frozen
class Method:
    name: str = "shift"
    fits: list[str] = field(factory=list)
    artifact = ShiftArtifact
    cost = 1.0

    def clips(self, prompts: int, seeds: int) -> int:
        return 0 if self.name == "pci" else 2 * prompts * seeds

    def fit(self, model: Any, concept: Concept, layers: Any, seeds: Sequence[int], progress: Any) -> Any:
        self.fits.append(self.name)
        return ShiftArtifact(model.name, 4, concept, model.pick(layers), 4)


@frozen
class Probe:
    """Alignment: mean level of the clip; preservation: mean distance to the reference; quality: 7 less the level."""

    name: str = "probes"
    kind: str = "alignment"
    unit: str = "dB"
    direction: int = 1
    heard: list[int] = field(factory=list)

    def unit_for(self, concept: Concept) -> str:
        return self.unit

    def score(self, clips: Sequence[Audio], against: Any = None) -> Any:
        if self.kind == "alignment":
            return np.array([float(clip.samples.mean()) for clip in clips])
        if self.kind == "quality":
            assert against is None
            self.heard.append(len(clips))
            return np.array([7 - float(clip.samples.mean()) for clip in clips])
        pairs = zip(clips, against, strict=True)
        return np.array([float((clip.samples - other.samples).abs().mean()) for clip, other in pairs])


METRICS = {
    "probes": Probe(),
    "loudness": Probe("loudness"),
    "spectral": Probe("spectral", "preservation", "distance"),
    "beauty": Probe("beauty", "quality", "points"),
    "truth": Probe("truth", "quality", "points"),
    "noise": Probe("noise", "quality", "dB", direction=-1),
}


def sound(row: Row) -> Audio:
    """Noise named by text and seed, lifted by the strengths of the row's interventions."""
    seed = int(hashlib.sha256(f"{row.text}{row.seed}".encode()).hexdigest()[:8], 16)
    noise = 0.05 * torch.randn(1, SECONDS * RATE, generator=torch.Generator().manual_seed(seed))
    lift = sum(item.strength for item in row.interventions if isinstance(item, ShiftPrompt))
    return Audio((noise + 0.1 * lift).clamp(-1, 1), RATE)


@define
class FakeTools:
    """The names a suite may use; counts what is made, and may break.

    Attributes:
        made: rows that were generated.
        fits: methods that were fitted.
        localized: how many concepts were localised.
        broken: raised for rows it accepts.
        on_batch: called before every batch.
    """

    made: list[Row] = field(factory=list)
    fits: list[str] = field(factory=list)
    localized: int = 0
    broken: Callable[[Row], bool] = field(default=lambda row: False)
    on_batch: Callable[[], None] = field(default=lambda: None)

    def load_model(self, name: str, source: str | None = None, **options: Any) -> Any:
        return Model()

    def get_concept(self, name: str) -> Concept:
        if name not in CONCEPTS:
            raise unknown("concept", name, CONCEPTS)
        return CONCEPTS[name]

    def get_method(self, name: str, **options: Any) -> Any:
        if name not in ("shift", "pci"):
            raise unknown("method", name, ["shift", "pci"])
        return Method(name, self.fits)

    def get_metric(self, name: str) -> Any:
        if name not in METRICS:
            raise unknown("metric", name, METRICS)
        return METRICS[name]

    def load_artifact(self, source: Path) -> Any:
        return ShiftArtifact.from_pretrained(source)

    def localize(self, model: Any, concept: Concept, readout: Any, **options: Any) -> Impact:
        self.localized += 1
        pairs, seeds = options["pairs"], options["seeds"]
        flat = np.zeros((pairs, len(seeds)))
        patched = np.stack([flat + share for share in (0.1, 0.7, 0.2)])
        return Impact(
            model.name, concept.name, readout.name, options["base"], (0, 1, 2), ("a", "b", "c"),
            concept.prompts[:pairs], seeds, flat, flat + 1, patched,
        )  # fmt: skip

    def read_impact(self, text: str) -> Impact:
        return Impact.from_json(text)

    def run(self, model: Any, rows: Sequence[Row], *, progress: Any = None) -> list[Clip]:
        self.on_batch()
        if any(map(self.broken, rows)):
            raise RuntimeError("the fake model broke")
        self.made.extend(rows)
        return [Clip(row, sound(row), torch.zeros(1)) for row in rows]


SUITE = Suite(
    "small",
    "fake",
    concepts=("tempo", "drums"),
    arms=(Arm("shift", "all", (-1, -0.5, 0.5, 1)), Arm("shift", "local", (-1, 1)), Arm("pci", "all", (-0.5, 0.5))),
    prompts=3,
    seeds=(0, 1),
    localization=Localization(pairs=2, top=1),
    fitting=Fitting(prompts=2),
    resamples=50,
)


def bench(folder: Path, suite: Suite = SUITE, **options: Any) -> tuple[Store, FakeTools]:
    """Run a suite with fakes."""
    tools = FakeTools(**options)
    return run_suite(suite, folder, tools=tools), tools


def main() -> None:
    """Run the small suite and kill this very process, without warning, at the given batch."""
    folder, batch = Path(sys.argv[1]), int(sys.argv[2])
    count = 0

    def on_batch() -> None:
        nonlocal count
        count += 1
        if count == batch:
            os.kill(os.getpid(), signal.SIGKILL)

    bench(folder, on_batch=on_batch)


if __name__ == "__main__":
    main()
