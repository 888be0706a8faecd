"""A concept: the one table of prompts and queries that every method, the localisation and the benchmark share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from tada_core.convert import texts
from tada_core.errors import SpecError
from tada_core.generation import Settings, fill

if TYPE_CHECKING:
    from tada_core.adapter import ModelAdapter


def _template(_: object, attribute: object, value: str) -> None:
    if "{p}" not in value:
        raise SpecError(f"template '{value}' has no {{p}}, the place of the base prompt")


def _prompts(_: object, __: object, value: tuple[str, ...]) -> None:
    if not value or not all(prompt.strip() for prompt in value):
        raise SpecError("a concept needs base prompts, none of them empty")


@frozen
class Concept:
    """A musical idea with an opposite.

    Attributes:
        name: registry name.
        positive, negative, neutral: templates around a base prompt `{p}`; strength 0 of every method is `neutral`.
        prompts: base prompts to fit on, free of the concept's words.
        probe: name of the measure in the audio that grows with the concept (see the `probes` metric), or "".
        queries: text that stands for the concept in an audio-text metric, by metric name; "" is the default.
        evaluation: base prompts to evaluate on, none of them fitted on.
        lyrics: of every clip of the concept, where the model sings; "[inst]" keeps it from singing.
    """

    name: str
    positive: str = field(validator=_template)
    negative: str = field(validator=_template)
    prompts: tuple[str, ...] = field(converter=texts, validator=_prompts)
    evaluation: tuple[str, ...] = field(converter=texts, validator=_prompts)
    neutral: str = field(default="{p}", validator=_template)
    probe: str = ""
    queries: Mapping[str, str] = field(factory=dict)
    lyrics: str = ""

    def side(self, name: str) -> str:
        """The template of "positive", "negative" or "neutral" ("opposite" is the negative one)."""
        sides = {
            "positive": self.positive,
            "negative": self.negative,
            "neutral": self.neutral,
            "opposite": self.negative,
        }
        if name not in sides:
            raise SpecError(f"'{name}' is no side of a concept; choose from {', '.join(sides)}")
        return sides[name]

    def text(self, side: str, prompt: str) -> str:
        """The full prompt of one side."""
        return fill(self.side(side), prompt)

    def sung(self, model: ModelAdapter, settings: Settings | None = None) -> Settings:
        """`settings` with the concept's lyrics, unless they have their own or the model does not sing."""
        settings = settings or Settings()
        if not self.lyrics or settings.lyrics or not model.sings:
            return settings
        return evolve(settings, lyrics=self.lyrics)

    def query(self, metric: str) -> str:
        """Text that stands for the concept in `metric`."""
        return self.queries.get(metric, self.queries.get("", self.name))
