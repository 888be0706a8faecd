"""Token embeddings (Baumann et al. 2025, as TADA uses them): c' = c + a d at the tokens of one word.

d is the mean over base prompts of what the denoiser reads at the concept's word in the positive prompt, minus the same
in the negative one; not scaled to unit length.

Differs from the paper: there a neutral word stands in the prompt where the concept's words would ("medium" for "fast"
and "slow"), and is the one that moves. Where a concept's neutral template has no word of its own, as "{p}" alone, every
token of the base prompt moves instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from attrs import field, frozen, validators

from tada_core import Artifact, Concept, Intervention, ModelAdapter, Settings, ShiftTokens, SteeringMethod, TensorRef
from tada_core.engine.donors import read_donors
from tada_core.errors import SpecError
from tada_core.progress import Progress
from tada_text_embedding.whole import refuse_some_layers
from tada_text_embedding.words import free_of, neutral_word, own_word

if TYPE_CHECKING:
    from torch import Tensor


@frozen(eq=False)
class TokenEmbeddingArtifact(Artifact):
    """One direction, tensor "direction" [width of the text]; no layer is touched. Strength is a, its factor."""

    method: ClassVar[str] = "token-embedding"
    units: ClassVar[tuple[str, ...]] = ("raw",)
    grid: ClassVar[tuple[float, ...]] = (0.5, 1.0, 2.0, 4.0)

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """One ShiftTokens; a row whose prompt lacks the word is refused when it is run."""
        direction = TensorRef.of(self.tensors["direction"])
        return (ShiftTokens(self.options["anchor"], direction, strength, self.options["branch"]),)


@frozen
class TokenEmbedding(SteeringMethod):
    """Moved embedding of one word; on all layers only.

    Attributes:
        pairs: how many of the concept's prompts to compare (published: 50).
        positive_word, negative_word: the words to compare, as they stand in the templates; by default the one word
            that the other template does not have.
        anchor: the word that moves, as it stands in every prompt to steer; "{p}" is the whole base prompt. By default
            the last word that the neutral template alone has, else its last word, else "{p}".
        branch: the side of guidance that reads it (published: "cond"), or "both".
    """

    name: ClassVar[str] = "token-embedding"
    artifact: ClassVar[type[Artifact]] = TokenEmbeddingArtifact

    pairs: int = field(default=50, validator=validators.ge(1))
    positive_word: str = ""
    negative_word: str = ""
    anchor: str = ""
    branch: Literal["cond", "both"] = field(default="cond", validator=validators.in_(("cond", "both")))

    def clips(self, prompts: int, seeds: int) -> int:
        """None: only text is read."""
        return 0

    def fit(
        self,
        model: ModelAdapter,
        concept: Concept,
        layers: Sequence[int] | None = None,
        seeds: Sequence[int] = (0,),
        progress: Progress | None = None,
    ) -> TokenEmbeddingArtifact:
        """Reads the text of both sides of every prompt; generates nothing.

        Raises:
            SpecError: some layers are chosen, a word is unknown or in no prompt, both words read alike, or the model
                cannot tell the tokens of a word.
        """
        refuse_some_layers(self.name, model, layers)
        positive = self.positive_word or own_word(concept, "positive", "positive_word")
        negative = self.negative_word or own_word(concept, "negative", "negative_word")
        prompts = free_of(concept, positive, negative)[: self.pairs]
        about = {"positive_word": positive, "negative_word": negative, "pairs": len(prompts)}
        sides = [
            [(concept.text(side, prompt), word) for prompt in prompts]
            for side, word in (("positive", positive), ("negative", negative))
        ]
        return TokenEmbeddingArtifact(
            model=model.name,
            width=0,
            concept=concept,
            layers=(),
            steps=model.defaults.steps,
            options={"anchor": self.anchor or neutral_word(concept), "branch": self.branch, **about},
            tensors={"direction": direction(model, *sides)},
        )


def direction(model: ModelAdapter, positive: Sequence[tuple[str, str]], negative: Sequence[tuple[str, str]]) -> Tensor:
    """Mean embedding of a word in some texts, minus that of another word in others: float32 [width of the text].

    Args:
        model: the adapter.
        positive, negative: texts, each with its word; several tokens of a word count as their mean.

    Raises:
        SpecError: a word is not in its text, or both sides are equal.
    """
    where = {pair: model.places(*pair) for pair in (*positive, *negative)}
    donors = read_donors(model, [text for text, _ in where], Settings(), [])

    def mean(pairs: Sequence[tuple[str, str]]) -> Tensor:
        embedded = [donors.prompt(text, "cond")[where[text, word][0]].float() for text, word in pairs]
        moved = [one[list(where[pair][1])].mean(0) for one, pair in zip(embedded, pairs, strict=True)]
        return sum(moved[1:], moved[0]).cpu() / len(moved)

    found = mean(positive) - mean(negative)
    if not found.any():
        raise SpecError(f"'{positive[0][1]}' and '{negative[0][1]}' read alike to '{model.name}'; give other words")
    return found
