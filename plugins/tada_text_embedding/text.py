"""Text embeddings (Ezra et al. 2025, arXiv 2511.00103, a baseline of TADA): c = E(row) + a (E(positive) - E(negative)).

The sum is token by token: a shorter text counts as zero where it has no token, and the row reads every token that any
of the three has. At strength 1, a row whose own prompt is the negative one reads the positive one.

A row whose prompt has no words in the place of the concept's reads bare differences there: what both sides say alike
cancels. No prompt gives such a text, so the strength's sign need not be what one hears.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from attrs import field, frozen, validators

from tada_core import Artifact, Intervention, ModelAdapter, ShiftPrompt
from tada_core.prompted import PromptMethod
from tada_text_embedding.whole import refuse_some_layers


@frozen(eq=False)
class TextEmbeddingArtifact(Artifact):
    """Nothing is learned, and no layer is touched; strength is a, the factor of the difference."""

    method: ClassVar[str] = "text-embedding"
    units: ClassVar[tuple[str, ...]] = ("raw",)
    grid: ClassVar[tuple[float, ...]] = (0.5, 1.0, 2.0, 4.0)

    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """One ShiftPrompt."""
        return (ShiftPrompt(self.concept.positive, self.concept.negative, strength, self.options["branch"]),)


@frozen
class TextEmbedding(PromptMethod):
    """Moved embedding of the whole prompt; on all layers only.

    Attributes:
        branch: the side of guidance that reads it (published: "cond"), or "both".
    """

    name: ClassVar[str] = "text-embedding"
    artifact: ClassVar[type[Artifact]] = TextEmbeddingArtifact

    branch: Literal["cond", "both"] = field(default="cond", validator=validators.in_(("cond", "both")))

    def place(self, model: ModelAdapter, layers: Sequence[int] | None) -> tuple[int, ...]:
        """No layer is touched.

        Raises:
            SpecError: some layers are chosen.
        """
        refuse_some_layers(self.name, model, layers)
        return ()

    def about(self, model: ModelAdapter) -> dict[str, Any]:
        """The branch."""
        return {"branch": self.branch}
