"""Training of a slider: what is read at which state, and the loss (Gandikota et al. 2023, eq. 7 and 8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal

import torch
from attrs import field, frozen, validators
from torch import Tensor
from torch.nn.functional import mse_loss

from tada_concept_sliders.lora import Lora
from tada_core import Concept, ModelAdapter, Row, seed_at
from tada_core.engine.donors import Donors
from tada_core.engine.replay import Recorded, calls_of, record
from tada_core.progress import Progress

Text = tuple[str, str]
"""A full prompt, and the branch whose text input is read."""


@frozen
class Lesson:
    """One state of a plain run under the neutral prompt, and the texts that are read there.

    Attributes:
        row, step: where the state comes from.
        read: what the trained network reads.
        neutral, positive, against: of the target, which the plain network makes.
    """

    row: Row
    step: int
    read: Text
    neutral: Text
    positive: Text
    against: Text

    def texts(self) -> set[str]:
        """Every prompt that has to be read."""
        return {text for text, _ in (self.read, self.neutral, self.positive, self.against)}


@frozen
class Loss:
    """The loss of an iteration, and what it would be without the adapter.

    States differ in their loss by orders of magnitude, so that only the share of the two tells how training goes.
    """

    trained: float = 0.0
    plain: float = 0.0

    def __add__(self, other: Loss) -> Loss:
        return Loss(self.trained + other.trained, self.plain + other.plain)


@frozen
class Course:
    """How long and how fast to train.

    Attributes:
        iterations: steps of the optimiser.
        batch: states per iteration, their losses averaged.
        eta: how far the target lies from the neutral prediction.
        rate, decay: of AdamW.
    """

    iterations: int = field(validator=validators.ge(1))
    batch: int = field(validator=validators.ge(1))
    eta: float
    rate: float = field(validator=validators.gt(0.0))
    decay: float = field(validator=validators.ge(0.0))


def lessons(
    model: ModelAdapter,
    concept: Concept,
    count: int,
    *,
    pairs: int,
    states: int,
    seeds: Sequence[int],
    reads: Literal["positive", "neutral"],
    against: Literal["uncond", "negative"],
) -> list[list[Lesson]]:
    """Lessons in groups whose runs are made together.

    Prompts take turns; every run has noise of its own, and its steps are drawn anew from any but the first. Lessons of
    one run do not follow each other.
    """
    draw, size = torch.Generator().manual_seed(seeds[0]), model.defaults.batch
    prompts = concept.prompts[:pairs]
    settings = concept.sung(model)
    steps = range(1, calls_of(model, Row(prompts[0], settings=settings))) or range(1)
    each = min(states, len(steps))
    runs = []
    for place in range(-(-count // each)):
        prompt, seed = prompts[place % len(prompts)], seed_at(seeds[place % len(seeds)], place)
        sides = {side: (concept.text(side, prompt), "cond") for side in ("neutral", "positive", "negative")}
        sides["uncond"] = (sides["neutral"][0], "uncond")
        texts = sides[reads], sides["neutral"], sides["positive"], sides[against]
        drawn = torch.randperm(len(steps), generator=draw)[:each].tolist()
        runs.append([Lesson(Row(prompt, seed, concept.neutral, settings), steps[at], *texts) for at in drawn])
    groups = [runs[start : start + size] for start in range(0, len(runs), size)]
    # What is more than asked for is left out at the end.
    mixed = [[one for together in zip(*group, strict=True) for one in together] for group in groups]
    mixed[-1] = mixed[-1][: count - sum(map(len, mixed[:-1]))]
    return mixed


def train(
    model: ModelAdapter, lora: Lora, course: Course, plan: Sequence[Sequence[Lesson]], donors: Donors, report: Progress
) -> list[Loss]:
    """Train the adapter in place; the loss of every iteration.

    Args:
        plan: groups of lessons, `course.batch` per iteration in all.
        donors: has read every text of them.
        report: called with (runs begun + iterations done, both in all).
    """
    optimizer = torch.optim.AdamW(lora.sides().values(), lr=course.rate, weight_decay=course.decay)
    ahead, losses, seen = _recorded(model, lora, plan), list[Loss](), set[Row]()
    total = course.iterations + len({lesson.row for group in plan for lesson in group})
    for _ in range(course.iterations):
        optimizer.zero_grad()
        share = Loss()
        for lesson, state in islice(ahead, course.batch):
            share += _learn(lesson, state, course.eta, lora, donors, course.batch)
            seen.add(lesson.row)
        optimizer.step()
        losses.append(share)
        report(len(seen) + len(losses), total)
    return losses


def target(neutral: Tensor, positive: Tensor, against: Tensor, eta: float) -> Tensor:
    """v(neutral) + eta (v(positive) - v(against))."""
    return neutral + eta * (positive - against)


def _learn(lesson: Lesson, state: Recorded, eta: float, lora: Lora, donors: Donors, mates: int) -> Loss:
    """Gradients of one lesson's share of the loss, and that share."""
    with torch.no_grad(), lora.off():
        neutral, positive, against = state.predict([lesson.neutral, lesson.positive, lesson.against], donors)
        wanted = target(neutral, positive, against, eta)
        plain = _distance(positive if lesson.read == lesson.positive else neutral, wanted) / mates
    loss = _distance(state.predict([lesson.read], donors)[0], wanted) / mates
    loss.backward()  # type: ignore[no-untyped-call]
    return Loss(float(loss.detach()), float(plain))


def _distance(made: Tensor, wanted: Tensor) -> Tensor:
    wide = torch.promote_types(made.dtype, torch.float32)
    return mse_loss(made.to(wide), wanted.to(wide))


def _recorded(model: ModelAdapter, lora: Lora, plan: Sequence[Sequence[Lesson]]) -> Iterator[tuple[Lesson, Recorded]]:
    """Every lesson with its state; a group's runs are made when its first lesson is asked for."""
    for group in plan:
        rows = list(dict.fromkeys(lesson.row for lesson in group))
        with lora.off():
            states = record(model, rows, [[one.step for one in group if one.row == row] for row in rows])
        found = {(rows[state.place], state.call.step): state for state in states}
        for lesson in group:
            yield lesson, found.pop((lesson.row, lesson.step))
