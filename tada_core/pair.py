"""A pair of prompts that differ in one idea alone."""

from __future__ import annotations

from attrs import field, frozen

from tada_core.errors import SpecError


def _text(_: object, attribute: object, value: str) -> None:
    if not value.strip():
        raise SpecError("a pair needs two prompts, and one of them is empty")


@frozen
class Pair:
    """A prompt with an idea and its counterfactual, the same without it or with its opposite (TADA sect. 3).

    Attributes:
        positive: has the idea; the target of patching.
        negative: has it not; the source.

    Raises:
        SpecError: a prompt is empty, or both are the same.
    """

    positive: str = field(validator=_text)
    negative: str = field(validator=_text)

    def __attrs_post_init__(self) -> None:
        if self.positive == self.negative:
            raise SpecError(f"both prompts of a pair are '{self.positive}'; they must differ in the idea")
