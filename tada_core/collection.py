"""Collection: mean activations per step and layer while clips are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from tada_core.adapter import Call, ModelAdapter
from tada_core.engine.run import run
from tada_core.generation import Row
from tada_core.observer import Observer
from tada_core.progress import Progress
from tada_core.sites import Site, Slot

if TYPE_CHECKING:
    from torch import Tensor


class FrameMeans(Observer):
    """Observer that keeps the mean over audio frames of every row, step and site, in float32 on the CPU."""

    def __init__(self, model: ModelAdapter, layers: Sequence[int], slot: Slot, branch: str) -> None:
        self.sites = tuple(Site(slot, layer) for layer in layers)
        self.branch = branch
        self._prefix = {layer: model.layer(layer).prefix for layer in layers}
        self._means: dict[tuple[int, int, int], Tensor] = {}

    def see(self, site: Site, call: Call, rows: Sequence[int], values: Tensor) -> None:
        """Keep the means of one call; the same row and step overwrite each other."""
        assert site.layer is not None
        means = values[:, self._prefix[site.layer] :].float().mean(1).cpu()
        for row, mean in zip(rows, means, strict=True):
            self._means[row, call.step, site.layer] = mean

    def tensor(self) -> Tensor:
        """[rows, steps, layers, width]."""
        rows, steps, layers = (sorted(set(part)) for part in zip(*self._means, strict=True))
        nested = [torch.stack([self._means[r, s, la] for s in steps for la in layers]) for r in rows]
        return torch.stack(nested).reshape(len(rows), len(steps), len(layers), -1)


def collect(
    model: ModelAdapter,
    rows: Sequence[Row],
    layers: Sequence[int] | None = None,
    *,
    slot: Slot = "out",
    branch: str = "cond",
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Tensor:
    """Mean over audio frames of a site's activation, float32 [rows, steps, layers, width].

    Args:
        model: the adapter.
        rows: what to generate; all with the same number of steps.
        layers: layers in execution order (default: all).
        slot: which slot of the layer, "out" by default.
        branch: which branch of guidance.
        batch_size: rows per forward pass.
        progress: called with (clips done, clips in all).
    """
    observer = FrameMeans(model, model.pick(layers), slot, branch)
    run(model, rows, batch_size=batch_size, observer=observer, progress=progress)
    return observer.tensor()
