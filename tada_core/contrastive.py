"""Methods that are fitted on the two sides of a concept's pairs, each alone or several on the same clips."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from attrs import evolve

from tada_core.contrast import Found, Statistic, Want, contrasted, gather
from tada_core.method import SteeringMethod

if TYPE_CHECKING:
    from tada_core.adapter import ModelAdapter
    from tada_core.artifact import Artifact
    from tada_core.concept import Concept
    from tada_core.progress import Progress


class ContrastiveMethod(SteeringMethod):
    """A method that needs one statistic of the pairs, and makes an artefact of it without another clip.

    One whose statistic itself has to be learned makes clips for that before (`prepared`).
    """

    pairs: int
    """How many of the concept's prompts it contrasts."""

    @property
    @abstractmethod
    def statistic(self) -> Statistic:
        """What it wants to know of every pair."""

    @abstractmethod
    def learn(
        self, model: ModelAdapter, concept: Concept, layers: tuple[int, ...], found: Found, about: dict[str, Any]
    ) -> Artifact:
        """The artefact.

        Args:
            model, concept, layers: what it is fitted on.
            found: the statistic, mean over pairs, [steps, ...] by layer.
            about: how it was fitted, for the artefact's options: number of pairs, seeds.
        """

    def check(self, model: ModelAdapter, layers: tuple[int, ...]) -> None:
        """Refuse a model or layers that the method cannot work on, before any clip is made."""

    def clips(self, prompts: int, seeds: int) -> int:
        """Two for every pair that is contrasted, and what the preparation takes."""
        pairs = min(self.pairs, prompts)
        return super().clips(pairs, seeds) + self.preparation(pairs, seeds)

    def preparation(self, pairs: int, seeds: int) -> int:
        """Clips that `prepared` makes for so many pairs and seeds."""
        return 0

    def prepared(
        self,
        model: ModelAdapter,
        concept: Concept,
        layers: tuple[int, ...],
        seeds: Sequence[int],
        progress: Progress | None = None,
    ) -> Self:
        """This method, or a copy of it, whose statistic can be asked for; by default itself, without a clip.

        Args:
            model, layers, seeds, progress: as for `SteeringMethod.fit`, after `check`.
            concept: with the prompts of the pairs that are contrasted, and no others.
        """
        return self

    def fit(
        self,
        model: ModelAdapter,
        concept: Concept,
        layers: Sequence[int] | None = None,
        seeds: Sequence[int] = (0,),
        progress: Progress | None = None,
    ) -> Artifact:
        """See `SteeringMethod.fit`; two clips per pair and seed, one on each side of the concept."""
        return fit_together([(self, layers)], model, concept, seeds, progress)[0]


def fit_together(
    methods: Sequence[tuple[ContrastiveMethod, Sequence[int] | None]],
    model: ModelAdapter,
    concept: Concept,
    seeds: Sequence[int] = (0,),
    progress: Progress | None = None,
) -> list[Artifact]:
    """Fit several methods, each on layers of its own, on the same clips.

    Args:
        methods: each with its layers (None: all); all contrast the same number of pairs.
        model, concept, seeds, progress: as `SteeringMethod.fit`.

    Raises:
        SpecError: something a method cannot do, no pairs or no seeds; before any clip is made.
    """
    chosen = [(method, model.pick(layers)) for method, layers in methods]
    for method, layers in chosen:
        method.check(model, layers)
    pairs = min(len(concept.prompts), max(method.pairs for method, _ in chosen))
    clips = 2 * len(contrasted(concept, pairs, seeds))
    shares = Shares(progress, [*(method.preparation(pairs, len(seeds)) for method, _ in chosen), clips])
    fewer = evolve(concept, prompts=concept.prompts[:pairs])
    ready = [(method.prepared(model, fewer, layers, seeds, shares.next()), layers) for method, layers in chosen]
    wants = [Want(method.statistic, layers) for method, layers in ready]
    every = gather(model, concept, wants, pairs=pairs, seeds=seeds, progress=shares.next())
    about = {"pairs": pairs, "seeds": list(seeds)}
    return [
        method.learn(model, concept, layers, found, about) for (method, layers), found in zip(ready, every, strict=True)
    ]


class Shares:
    """One progress out of several passes that follow each other, `clips` of each."""

    def __init__(self, progress: Progress | None, clips: Sequence[int]) -> None:
        self._progress, self._clips, self._pass = progress, list(clips), 0

    def next(self) -> Progress | None:
        """The progress of the next pass; None where nobody asked."""
        report, before, total = self._progress, sum(self._clips[: self._pass]), sum(self._clips)
        self._pass += 1
        return None if report is None else lambda done, _: report(before + done, total)


def common_width(model: ModelAdapter, layers: Sequence[int]) -> int:
    """Features of the layers; 0 where they differ."""
    widths = {model.layer(layer).width for layer in layers}
    return widths.pop() if len(widths) == 1 else 0
