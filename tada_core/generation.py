"""What to generate: a Generation (a prompt over several seeds) and its rows (one prompt, one seed, interventions)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import asdict, evolve, field, frozen
from attrs.converters import optional

from tada_core.convert import ints
from tada_core.errors import SpecError
from tada_core.interventions import Intervention


def fill(template: str, prompt: str) -> str:
    """`template` with the base prompt in the place of `{p}`; other braces are left alone."""
    return template.replace("{p}", prompt)


def _positive(_: Any, attribute: Any, value: Any) -> None:
    if value is not None and value <= 0:
        raise SpecError(f"{attribute.name} must be above zero, not {value}")


def _prompt(_: object, __: object, value: str) -> None:
    if not value.strip():
        raise SpecError("the prompt is empty; give a text such as 'a piano tune for the evening'")


def _seeds(_: object, __: object, value: tuple[int, ...]) -> None:
    if not value:
        raise SpecError("no seeds given; write seeds=(0,)")


@frozen
class Settings:
    """How a clip is sampled; None means the model's default.

    Attributes:
        seconds: length of the clip.
        steps: denoising steps.
        guidance: classifier-free guidance scale.
        lyrics: sung text, for models that take it.
    """

    seconds: float | None = field(default=None, validator=_positive)
    steps: int | None = field(default=None, converter=optional(int), validator=_positive)
    guidance: float | None = None
    lyrics: str = ""

    def over(self, defaults: Settings) -> Settings:
        """These settings, with those of `defaults` in the place of None."""
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return evolve(defaults, **given)


STRIDE = 1000
"""Distance between the seeds of neighbouring prompts of a set."""


def seed_at(seed: int, place: int) -> int:
    """The seed that the prompt at `place` of a set of prompts runs on where `seed` is asked for.

    No two prompts of a set share their noise. A deterministic sampler lets the noise alone decide what a prompt leaves
    open: on one seed all prompts would be fast, or all have drums, and their number would prove nothing.
    """
    return seed + STRIDE * place


def with_seeds(prompts: Iterable[str], seeds: Iterable[int]) -> list[tuple[str, int]]:
    """Every prompt with every seed, each prompt on noise of its own; prompts vary slowest."""
    asked = tuple(seeds)
    return [(prompt, seed_at(seed, place)) for place, prompt in enumerate(prompts) for seed in asked]


@frozen
class Row:
    """One clip to make: a base prompt in a template, a seed, settings and the interventions, applied in order."""

    prompt: str = field(validator=_prompt)
    seed: int = 0
    template: str = "{p}"
    settings: Settings = Settings()
    interventions: tuple[Intervention, ...] = ()

    @property
    def text(self) -> str:
        """The prompt as the model reads it."""
        return fill(self.template, self.prompt)


@frozen
class Generation:
    """A prompt rendered over several seeds.

    Attributes:
        prompt: the base prompt.
        seeds: one clip each.
        template: wraps the base prompt, `{p}` standing for it (a concept's neutral template, say).
        seconds, steps, guidance, lyrics: see Settings.
    """

    prompt: str = field(validator=_prompt)
    seeds: tuple[int, ...] = field(default=(0,), converter=ints, validator=_seeds)
    template: str = "{p}"
    seconds: float | None = field(default=None, validator=_positive)
    steps: int | None = field(default=None, validator=_positive)
    guidance: float | None = None
    lyrics: str = ""

    @property
    def settings(self) -> Settings:
        """The sampling settings alone."""
        return Settings(self.seconds, self.steps, self.guidance, self.lyrics)

    def rows(self, *interventions: Intervention | Iterable[Intervention]) -> tuple[Row, ...]:
        """One row per seed, all with the same interventions (single ones or groups, kept in order)."""
        flat = flatten(interventions)
        return tuple(Row(self.prompt, seed, self.template, self.settings, flat) for seed in self.seeds)


def flatten(interventions: Iterable[Intervention | Iterable[Intervention]]) -> tuple[Intervention, ...]:
    """Interventions and groups of them as one flat tuple, in order."""
    flat: list[Intervention] = []
    for item in interventions:
        flat.extend(item) if isinstance(item, Iterable) else flat.append(item)
    return tuple(flat)
