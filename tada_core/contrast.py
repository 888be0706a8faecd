"""Contrasts: what the two sides of a concept differ in, gathered in one pass that several methods share.

Nothing is stored but sums: a statistic reduces the activations of a pair, [frames, width] on each side, as they come.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from attrs import field, frozen

from tada_core.adapter import Call, ModelAdapter
from tada_core.concept import Concept
from tada_core.engine.run import run
from tada_core.errors import SpecError
from tada_core.generation import Row, with_seeds
from tada_core.observer import Observer
from tada_core.progress import Progress
from tada_core.sites import Site, Slot

if TYPE_CHECKING:
    from torch import Tensor


@frozen
class Statistic(ABC):
    """What is kept of every pair; equal statistics are gathered once.

    Attributes:
        slot: where in each layer.
    """

    slot: Slot = field(default="out", kw_only=True)

    @abstractmethod
    def reduce(self, positive: Tensor, negative: Tensor, layer: int) -> Tensor:
        """The sum over pairs of what is kept, from float32 [pairs, frames, width] twice."""


@frozen
class Means(Statistic):
    """Mean over frames of each side: [2, width], the positive first."""

    def reduce(self, positive: Tensor, negative: Tensor, layer: int) -> Tensor:
        """See `Statistic`."""
        return torch.stack([side.mean(1).sum(0) for side in (positive, negative)])


@frozen
class Signs(Statistic):
    """Share of frames at which each feature is larger on the one side than on the other: [2, width]."""

    def reduce(self, positive: Tensor, negative: Tensor, layer: int) -> Tensor:
        """See `Statistic`."""
        difference = positive - negative
        return torch.stack([side.float().mean(1).sum(0) for side in (difference > 0, difference < 0)])


@frozen
class Want:
    """One statistic on some layers."""

    statistic: Statistic
    layers: tuple[int, ...]


Found = Mapping[int, "Tensor"]
"""Mean over pairs of a statistic, [steps, ...], by layer."""


def contrasted(concept: Concept, pairs: int, seeds: Sequence[int]) -> list[tuple[str, int]]:
    """Prompt and seed of every pair that is contrasted.

    Raises:
        SpecError: there are none.
    """
    todo = with_seeds(concept.prompts[:pairs], seeds)
    if not todo:
        raise SpecError(f"concept '{concept.name}' gives no pairs to contrast; ask for at least one pair and one seed")
    return todo


def gather(
    model: ModelAdapter,
    concept: Concept,
    wants: Sequence[Want],
    *,
    pairs: int,
    seeds: Sequence[int] = (0,),
    progress: Progress | None = None,
) -> list[Found]:
    """Statistics of a concept's pairs on the conditional branch, all of them from the same clips.

    Args:
        model: the adapter.
        concept: its first `pairs` prompts are used, each on both sides, every prompt on noise of its own.
        wants: what to gather.
        pairs: prompts.
        seeds: clips per prompt and side.
        progress: called with (clips done, clips in all).

    Raises:
        SpecError: no pairs or no seeds.
    """
    todo = contrasted(concept, pairs, seeds)
    sides, settings = (concept.positive, concept.negative), concept.sung(model)
    rows = [Row(prompt, seed, side, settings) for prompt, seed in todo for side in sides]
    contrast = Contrast(model, wants)
    # An even number of rows, so that both sides of a pair are in one batch.
    run(model, rows, batch_size=max(2, model.defaults.batch // 2 * 2), observer=contrast, progress=progress)
    return [contrast.found(want) for want in wants]


Key = tuple[Statistic, int, int]
"""Statistic, layer, step."""


class Contrast(Observer):
    """Reduces pairs as they come; rows 2 n and 2 n + 1 are the two sides of a pair.

    Where a model cannot put both sides in one batch, the first one waits on the CPU in half precision.
    """

    def __init__(self, model: ModelAdapter, wants: Iterable[Want]) -> None:
        self._wanted: dict[Site, set[Statistic]] = {}
        for want in wants:
            for layer in want.layers:
                self._wanted.setdefault(Site(want.statistic.slot, layer), set()).add(want.statistic)
        self.sites = tuple(self._wanted)
        self._prefix = {layer.index: layer.prefix for layer in model.layers}
        self._sums: dict[Key, Tensor] = {}
        self._pairs: dict[Key, int] = {}
        self._waiting: dict[tuple[int, Site, int], Tensor] = {}
        self.begin(())

    def begin(self, rows: Sequence[int]) -> None:
        """What the last batch left unfinished is forgotten."""
        self._fresh: list[tuple[Key, int, Tensor]] = []
        self._held: dict[tuple[int, Site, int], Tensor] = {}
        self._met: list[tuple[int, Site, int]] = []

    def see(self, site: Site, call: Call, rows: Sequence[int], values: Tensor) -> None:
        """Reduce the pairs of a call."""
        assert site.layer is not None
        frames = values[:, self._prefix[site.layer] :].float()
        sides = {row: frames[place] for place, row in enumerate(rows)}
        complete = []
        for row, own in sides.items():
            key, other = (row // 2, site, call.step), row ^ 1
            if other in sides:
                if row % 2 == 0:
                    complete.append((own, sides[other]))
            elif key in self._waiting:
                kept = self._waiting[key].to(own)
                complete.append((kept, own) if row % 2 else (own, kept))
                self._met.append(key)
            else:
                self._held[key] = own.half().cpu()
        if complete:
            self._reduce(site, call.step, *(torch.stack(side) for side in zip(*complete, strict=True)))

    def _reduce(self, site: Site, step: int, positive: Tensor, negative: Tensor) -> None:
        assert site.layer is not None
        for statistic in self._wanted[site]:
            made = statistic.reduce(positive, negative, site.layer).cpu()
            self._fresh.append(((statistic, site.layer, step), len(positive), made))

    def finish(self, rows: Sequence[int]) -> None:
        """The batch counts."""
        for key, pairs, made in self._fresh:
            self._sums[key] = self._sums[key] + made if key in self._sums else made
            self._pairs[key] = self._pairs.get(key, 0) + pairs
        for met in self._met:
            del self._waiting[met]
        self._waiting |= self._held
        self.begin(())

    def found(self, want: Want) -> Found:
        """Means over pairs, by layer."""
        return {layer: self._mean(want.statistic, layer) for layer in want.layers}

    def _mean(self, statistic: Statistic, layer: int) -> Tensor:
        steps = sorted(step for one, at, step in self._sums if (one, at) == (statistic, layer))
        return torch.stack([self._sums[statistic, layer, step] / self._pairs[statistic, layer, step] for step in steps])
