"""A stream of activations: clips are made once, and every layer's tokens are read as they come."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from tada_core import ModelAdapter, Row, Site, run, seed_at
from tada_core.adapter import Call
from tada_core.observer import Observer
from tada_sae.settings import StreamSettings


class Tokens(Observer):
    """The frames of some layers' outputs at every n-th step, on the conditional branch, without the prefix tokens.

    Args:
        model: the adapter.
        layers: which.
        every: n; the first step is read.
    """

    def __init__(self, model: ModelAdapter, layers: Sequence[int], every: int) -> None:
        self.sites = tuple(Site("out", layer) for layer in layers)
        self._every = every
        self._prefix = {layer: model.layer(layer).prefix for layer in layers}
        self._kept: dict[tuple[int, int, int], Tensor] = {}

    def see(self, site: Site, call: Call, rows: Sequence[int], values: Tensor) -> None:
        """Keep the frames of a call; the same row and step overwrite each other."""
        assert site.layer is not None
        if call.step % self._every == 0:
            frames = values[:, self._prefix[site.layer] :].float().cpu()
            self._kept |= {(site.layer, row, call.step): own for row, own in zip(rows, frames, strict=True)}

    def tokens(self) -> Mapping[int, Tensor]:
        """Every layer's [tokens, width], in the order of rows, then steps, then frames."""
        return {
            site.layer: torch.cat([self._kept[key] for key in sorted(self._kept) if key[0] == site.layer])
            for site in self.sites
            if site.layer is not None
        }


def row_batches(model: ModelAdapter, prompts: Sequence[str], settings: StreamSettings) -> list[list[Row]]:
    """What is generated together: every prompt once per seed, in an order of each seed's own."""
    draw, size = torch.Generator().manual_seed(settings.seed), settings.clips or model.defaults.batch
    rows = []
    for seed in settings.seeds:
        for place in torch.randperm(len(prompts), generator=draw).tolist():
            rows.append(Row(prompts[place], seed_at(seed, place), settings=settings.settings))
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def stream(
    model: ModelAdapter, batches: Sequence[Sequence[Row]], layers: Sequence[int], every: int
) -> Iterator[Mapping[int, Tensor]]:
    """Tokens by layer, [tokens, width] in float32 on the CPU, of one generation batch after another.

    Each batch is a run of its own, so that no clip is kept.
    """
    for rows in batches:
        observer = Tokens(model, layers, every)
        run(model, rows, batch_size=len(rows), observer=observer, progress=lambda *_: None)
        yield observer.tokens()
