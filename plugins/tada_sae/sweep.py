"""The outcome of a training of several autoencoders: one line each, as a table, JSON and a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from tada_core import ModelAdapter
from tada_core.results import from_json, to_json
from tada_sae.settings import Spec
from tada_sae.trainer import Trainer

FIGURES = ("explained", "dead", "dense")


@frozen
class Trial:
    """One autoencoder of a sweep.

    Attributes:
        layer, expansion, k: see `Spec`.
        features: of the code.
        steps: of the training.
        explained, dead, dense: see `Figures`.
        folder: where it is, below the sweep's folder.
    """

    layer: int
    expansion: int
    k: int
    features: int
    steps: int
    explained: float
    dead: float
    dense: float
    folder: str


def _trials(given: Sequence[Any]) -> tuple[Trial, ...]:
    return tuple(one if isinstance(one, Trial) else Trial(**one) for one in given)


@frozen
class Sweep:
    """All of them, in the order of layers, then expansions, then k.

    Attributes:
        model: what they read.
        tokens: each was trained on, the fewest.
        dead_after: a feature counts as dead that did not fire for so many tokens.
        trials: one per autoencoder.
    """

    model: str
    tokens: int
    dead_after: int
    trials: tuple[Trial, ...] = field(converter=_trials)

    @classmethod
    def of(cls, model: ModelAdapter, trained: Mapping[Spec, Trainer], folders: Mapping[Spec, Path]) -> Sweep:
        """Of a training."""
        trials = [
            Trial(
                **asdict(spec),
                features=spec.features(model.layer(spec.layer).width),
                steps=one.steps,
                **asdict(one.figures()),
                folder=str(folders[spec]),
            )
            for spec, one in trained.items()
        ]
        settings = next(iter(trained.values())).settings
        tokens = min(one.steps for one in trained.values()) * settings.batch
        trials.sort(key=lambda one: (one.layer, one.expansion, one.k))
        return cls(model.name, tokens, settings.dead_after, trials)

    @property
    def note(self) -> str:
        """What has to be said of the figures, or ""."""
        if self.tokens >= self.dead_after:
            return ""
        return (
            f"dead is 0 because a feature counts as dead after {self.dead_after:,} tokens of silence, and these were "
            f"{self.tokens:,}; dead_after sets another number"
        )

    def table(self) -> list[dict[str, Any]]:
        """One row per autoencoder, all its fields."""
        return [asdict(one) for one in self.trials]

    def to_json(self) -> str:
        """Everything as JSON."""
        return to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Sweep:
        """What `to_json` wrote.

        Raises:
            SpecError: it is not such a result.
        """
        return from_json(cls, text, "a sweep")

    def plot(self, path: str | Path) -> Path:
        """Draw every figure against k, a line per layer and expansion; the ending names the format."""
        from matplotlib.figure import Figure
        from matplotlib.ticker import PercentFormatter

        figure = Figure(figsize=(11.0, 3.6), layout="constrained")
        titles = ("explained variance", "dead features", "dense features")
        for axes, name, title in zip(figure.subplots(1, 3), FIGURES, titles, strict=True):
            for (layer, expansion), group in groupby(self.trials, lambda one: (one.layer, one.expansion)):
                line = list(group)
                values = [getattr(one, name) for one in line]
                axes.plot([one.k for one in line], values, marker="o", label=f"layer {layer}, m {expansion}")
            ks = sorted({one.k for one in self.trials})
            axes.set_xscale("log", base=2)
            axes.set_xticks(ks, [str(k) for k in ks])
            axes.minorticks_off()
            axes.set(title=title, xlabel="k")
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
            axes.margins(y=0.15)
            if name != "explained":
                axes.set_ylim(bottom=0.0, top=max(0.05, axes.get_ylim()[1]))
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(target, dpi=160)
        return target
