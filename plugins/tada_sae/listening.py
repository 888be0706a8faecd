"""The clips a report is made of: both sides of concepts on the same noise, and captions."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from tada_core import Concept, Row, Settings, seed_at
from tada_sae.prompts import SIDES


@frozen
class Group:
    """Clips that belong together: a side of a concept, or the captions (no concept).

    Attributes:
        concept, side: names, or "".
        rows: what to make.
    """

    concept: str
    side: str
    rows: tuple[Row, ...]


def listening(
    concepts: Sequence[Concept], captions: Sequence[str], clips: int, settings: Settings
) -> tuple[Group, ...]:
    """One group per side of every concept, `clips` each, from prompts that nothing was fitted on; and the captions.

    Where a concept has fewer prompts than clips, they are used again on other noise.
    """
    groups = [
        Group(concept.name, side, tuple(_row(concept, side, place, settings) for place in range(clips)))
        for concept in concepts
        for side in SIDES
        if side != "neutral"
    ]
    rows = tuple(Row(prompt, seed_at(0, place), settings=settings) for place, prompt in enumerate(captions))
    return (*groups, Group("", "", rows)) if rows else tuple(groups)


def _row(concept: Concept, side: str, place: int, settings: Settings) -> Row:
    turn, index = divmod(place, len(concept.evaluation))
    return Row(concept.evaluation[index], seed_at(turn, index), concept.side(side), settings)
