"""What features do while clips are made: how strongly each is active in every clip, and along the trajectory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from attrs import frozen
from jaxtyping import Float
from torch import Tensor

from tada_core import ModelAdapter, Site, SparseAutoencoder
from tada_core.adapter import Call
from tada_core.maths.sae import activations
from tada_core.observer import Observer
from tada_sae.features import Kind

BINS = 30
"""Parts of the trajectory that are told apart, at most."""


@frozen(eq=False)
class LayerActivity:
    """Of the features of one layer, means over frames.

    Attributes:
        clips: and over steps, of every clip.
        means: the same over the clips of a group.
        course: and over the clips of a group, along the trajectory (groups by bins by features).
        fires: share of all frames at which TopK keeps it.
    """

    clips: Float[Tensor, "clips features"]
    means: Float[Tensor, "groups features"]
    course: Float[Tensor, "groups bins features"]
    fires: Float[Tensor, " features"]


class Activity(Observer):
    """Reads the outputs of some layers on the conditional branch, without their prefix tokens; keeps sums alone.

    Args:
        model: the adapter.
        autoencoders: by layer.
        groups: the group of every row, counted from 0.
        kind: see `features.Kind`.
    """

    def __init__(
        self,
        model: ModelAdapter,
        autoencoders: Mapping[int, SparseAutoencoder],
        groups: Sequence[int],
        kind: Kind = "dense",
    ) -> None:
        self.sites = tuple(Site("out", layer) for layer in autoencoders)
        self._autoencoders, self._groups, self._kind = autoencoders, groups, kind
        self._prefix = {layer: model.layer(layer).prefix for layer in autoencoders}
        # Sums by layer and row.
        self._fresh: dict[tuple[int, int], _Sums] = {}
        self._done: dict[tuple[int, int], _Sums] = {}
        self._course: dict[int, Tensor] = {}

    def begin(self, rows: Sequence[int]) -> None:
        """What the last batch left unfinished is forgotten."""
        self._fresh = {}

    def see(self, site: Site, call: Call, rows: Sequence[int], values: Tensor) -> None:
        """Add the frames of a call, row by row: all features of a batch at once may be too many."""
        assert site.layer is not None
        sae, place = self._autoencoders[site.layer], _bin(call.step, call.steps)
        weights = [
            one.tensor().to(values.device, torch.float32) for one in (sae.encoder, sae.encoder_bias, sae.decoder_bias)
        ]
        for row, frames in zip(rows, values[:, self._prefix[site.layer] :].float(), strict=True):
            dense = activations(frames, *weights)
            found = dense.topk(min(sae.k, dense.shape[-1]), dim=-1)
            kept = torch.zeros_like(dense).scatter(-1, found.indices, found.values)
            mean = (dense if self._kind == "dense" else kept).mean(0).cpu()
            own = self._fresh.setdefault((site.layer, row), _Sums(min(call.steps, BINS), len(mean)))
            own.add(place, mean, (kept > 0).float().mean(0).cpu())

    def finish(self, rows: Sequence[int]) -> None:
        """The batch counts; of its courses only the sums of groups are kept."""
        for (layer, row), own in self._fresh.items():
            course = own.course / own.steps[:, None].clamp_min(1)
            groups = self._course.setdefault(layer, torch.zeros(max(self._groups) + 1, *course.shape))
            groups[self._groups[row]] += course
            own.course = course[:0]
        self._done |= self._fresh
        self._fresh = {}

    def of(self, layer: int) -> LayerActivity:
        """What was seen of a layer, clips in the order of rows."""
        rows = [self._done[key] for key in sorted(self._done) if key[0] == layer]
        steps = float(rows[0].steps.sum())
        clips, groups = torch.stack([row.total for row in rows]) / steps, torch.tensor(self._groups)
        sizes = torch.bincount(groups)
        return LayerActivity(
            clips=clips,
            means=torch.zeros(len(sizes), clips.shape[1]).index_add(0, groups, clips) / sizes[:, None],
            course=self._course[layer] / sizes[:, None, None],
            fires=torch.stack([row.fires for row in rows]).mean(0) / steps,
        )


class _Sums:
    """Sums over the steps of one clip."""

    def __init__(self, bins: int, features: int) -> None:
        self.total, self.fires = torch.zeros(features), torch.zeros(features)
        self.course, self.steps = torch.zeros(bins, features), torch.zeros(bins)

    def add(self, place: int, mean: Tensor, fires: Tensor) -> None:
        self.total += mean
        self.fires += fires
        self.course[place] += mean
        self.steps[place] += 1


def _bin(step: int, steps: int) -> int:
    return step * min(steps, BINS) // steps
