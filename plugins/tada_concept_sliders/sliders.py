"""Concept Sliders (Gandikota et al. 2023, arXiv 2311.12092), in TADA's setting by default.

A LoRA (Hu et al. 2021) on the queries, keys and values of the cross-attention is trained so that under a prompt the
network predicts v(neutral) + eta (v(positive) - v(unconditional)), at states of a run that is denoised up to a random
step. Strength is the adapter's weight, under the neutral prompt and on both branches of guidance.

Differs from the paper: the output projection is not adapted, for it is no site; states are made by the plain network
(the original's by the adapted one, which needs a run of its own per iteration), with the model's guidance; prompts
take turns (the original draws them); alpha is as large as the rank, since TADA names none. The original subtracts the
negative prompt (`against="negative"`) and adapts what the neutral one gives (`reads="neutral"`), with eta 4, rate 2e-4,
rank 4, alpha 1 and 1000 iterations in its published configuration.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import ClassVar, Literal

from attrs import field, frozen, validators

from tada_concept_sliders.artifact import SlidersArtifact
from tada_concept_sliders.lora import injected
from tada_concept_sliders.training import Course, Lesson, Loss, lessons, train
from tada_core import Artifact, Concept, ModelAdapter, SteeringMethod
from tada_core.contrastive import common_width
from tada_core.convert import texts
from tada_core.engine.donors import read_donors
from tada_core.errors import SpecError
from tada_core.progress import Progress, bar


@frozen
class ConceptSliders(SteeringMethod):
    """A trained LoRA per concept.

    Attributes:
        iterations: steps of the optimiser (published: 500).
        eta: how far the target lies from the neutral prediction (published: 7).
        rate, decay: of AdamW (published: 1e-4, and torch's 0.01).
        rank: of the LoRA (published: 8).
        alpha: its output is multiplied by alpha / rank.
        slots: which projections to adapt; those a network does not have are left out.
        pairs: how many of the concept's prompts take turns.
        batch: states per iteration, their losses averaged (published: 1).
        states: how many steps of a run are trained on (published: 1); more make a training cheaper, since most of it is
            denoising.
        against: what the positive prediction is contrasted with, "uncond" (published by TADA) or "negative" (the
            original).
        reads: which prompt the adapted network reads in training, "positive" (published by TADA) or "neutral" (the
            original).
    """

    name: ClassVar[str] = "concept-sliders"
    artifact: ClassVar[type[Artifact]] = SlidersArtifact

    iterations: int = field(default=500, validator=validators.ge(1))
    eta: float = field(default=7.0, converter=float, validator=validators.gt(0.0))
    rate: float = field(default=1e-4, converter=float, validator=validators.gt(0.0))
    decay: float = field(default=0.01, converter=float, validator=validators.ge(0.0))
    rank: int = field(default=8, validator=validators.ge(1))
    alpha: float = field(default=8.0, converter=float, validator=validators.gt(0.0))
    slots: tuple[str, ...] = field(
        default=("q", "k", "v"),
        converter=texts,
        validator=[validators.min_len(1), validators.deep_iterable(validators.in_(("q", "k", "v")))],
    )
    pairs: int = field(default=50, validator=validators.ge(1))
    batch: int = field(default=1, validator=validators.ge(1))
    states: int = field(default=1, validator=validators.ge(1))
    against: Literal["uncond", "negative"] = field(default="uncond", validator=validators.in_(("uncond", "negative")))
    reads: Literal["positive", "neutral"] = field(default="positive", validator=validators.in_(("positive", "neutral")))

    def clips(self, prompts: int, seeds: int) -> int:
        """A run for every `states` lessons, and an iteration, five passes and a gradient, as another."""
        count = self.iterations * self.batch
        return -(-count // self.states) + count

    def fit(
        self,
        model: ModelAdapter,
        concept: Concept,
        layers: Sequence[int] | None = None,
        seeds: Sequence[int] = (0,),
        progress: Progress | None = None,
    ) -> SlidersArtifact:
        """Train the adapter; progress counts states (clips denoised up to some step) and iterations.

        Raises:
            SpecError: a layer without any of the projections, no seeds, or no unconditional prediction to contrast
                with; before any work starts.
        """
        chosen = model.pick(layers)
        projections = {str(layer): self._paths(model, layer) for layer in chosen}
        self._check(model, seeds)
        plan = self._plan(model, concept, seeds)
        read = sorted({text for group in plan for one in group for text in one.texts()})
        donors = read_donors(model, read, concept.sung(model), ())
        paths = [path for found in projections.values() for path in found.values()]
        with (
            nullcontext(progress) if progress is not None else bar(f"{model.name}: {self.name}") as report,
            injected(model.denoiser, paths, self.rank, self.alpha, seeds[0]) as lora,
        ):
            losses = train(model, lora, self._course(), plan, donors, report)
            tensors = lora.tensors()
        return SlidersArtifact(
            model=model.name,
            width=common_width(model, chosen),
            concept=concept,
            layers=chosen,
            steps=model.defaults.steps,
            options={
                **{name: getattr(self, name) for name in PLAIN},
                "slots": list(self.slots),
                "pairs": min(self.pairs, len(concept.prompts)),
                "seeds": list(seeds),
                "loss": _ends(losses),
                "projections": projections,
            },
            tensors=tensors,
        )

    def _course(self) -> Course:
        return Course(self.iterations, self.batch, self.eta, self.rate, self.decay)

    def _plan(self, model: ModelAdapter, concept: Concept, seeds: Sequence[int]) -> list[list[Lesson]]:
        return lessons(
            model,
            concept,
            self.iterations * self.batch,
            pairs=self.pairs,
            states=self.states,
            seeds=seeds,
            reads=self.reads,
            against=self.against,
        )

    def _paths(self, model: ModelAdapter, layer: int) -> dict[str, str]:
        """Module paths of a layer's projections, by slot."""
        table = model.layer(layer)
        found = {str(slot): table.module(slot) for slot in table.written() if slot in self.slots}
        if not found:
            raise SpecError(
                f"layer {layer} of '{model.name}' has none of the projections {', '.join(self.slots)}; its sites are "
                f"{', '.join(table.written())}"
            )
        return found

    def _check(self, model: ModelAdapter, seeds: Sequence[int]) -> None:
        if not seeds:
            raise SpecError("no seeds given; write seeds=(0,)")
        if self.against == "uncond" and "uncond" not in model.branches(model.defaults.guidance, model.defaults.steps):
            raise SpecError(
                f"'{model.name}' runs without guidance, so that it has no unconditional prediction; use "
                "against='negative'"
            )


PLAIN = ("iterations", "eta", "rate", "decay", "rank", "alpha", "batch", "states", "against", "reads")
"""Options that are JSON data as they are."""


def _ends(losses: Sequence[Loss]) -> list[float]:
    """The loss of the first and of the last tenth of the iterations, as a share of what it is without the adapter."""
    few = max(1, len(losses) // 10)
    ends = (sum(part, Loss()) for part in (losses[:few], losses[-few:]))
    return [end.trained / end.plain for end in ends]
