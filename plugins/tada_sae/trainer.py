"""The trainer of one autoencoder: one call of `step` per batch of activations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from tada_core.errors import SpecError
from tada_sae.autoencoder import Autoencoder
from tada_sae.centre import centre_of
from tada_sae.figures import Figures
from tada_sae.loss import loss
from tada_sae.settings import Spec, TrainerSettings

DECAY = 0.99
"""Of the running means behind the figures, per step."""


class Trainer:
    """Trains the autoencoder of one layer, expansion and k; the state decides every later step bit for bit.

    Args:
        width: of the layer.
        spec: what to train.
        settings: how.

    Raises:
        SpecError: k is more than the features.
    """

    def __init__(self, width: int, spec: Spec, settings: TrainerSettings | None = None) -> None:
        self.spec, self.settings = spec, settings or TrainerSettings()
        own, features = self.settings, spec.features(width)
        draw = torch.Generator().manual_seed(own.seed)
        made = Autoencoder(width, features, spec.k, own.selection, own.encoder_scale, draw)
        self.autoencoder = made.to(own.device).train()
        fused = torch.device(own.device).type in ("cpu", "cuda")
        self._adam = torch.optim.Adam(self.autoencoder.parameters(), lr=own.rate, fused=fused)
        self.steps = 0
        self._silent = torch.zeros(features, dtype=torch.int64, device=own.device)
        self._rate = torch.zeros(features, device=own.device)
        self._fvu = 0.0

    def step(self, h: Float[Tensor, "tokens d"]) -> float:
        """One step of Adam on a batch; the fraction of variance unexplained before it.

        Raises:
            SpecError: the activations do not vary, or the training diverged.
        """
        own = self.settings
        h = h.to(self.autoencoder.decoder)
        if self.steps == 0:
            self.autoencoder.decoder_bias.data.copy_(centre_of(h, own.centre))
        found = loss(self.autoencoder, h, self.dead, own.auxiliary)
        unexplained = float(found.fvu.detach())
        if not math.isfinite(unexplained):
            raise SpecError(
                f"step {self.steps} of layer {self.spec.layer} has no finite loss: its activations do not vary, or "
                f"the rate {own.rate:g} is too high; lower `rate`"
            )
        self._adam.zero_grad()
        torch.autograd.backward(found.total)
        self._update()
        self._keep(found.code.fired(), len(h), unexplained)
        return unexplained

    @property
    def dead(self) -> Tensor:
        """Which features did not fire for `dead_after` tokens, bool [features]."""
        return self._silent >= self.settings.dead_after

    def _update(self) -> None:
        """The gradient projected and clipped, the step, the rows at unit length again."""
        own, rows = self.settings, self.autoencoder.decoder
        assert rows.grad is not None
        rows.grad -= (rows.grad * rows.detach()).sum(1, keepdim=True) * rows.detach()
        clip_grad_norm_(self.autoencoder.parameters(), own.clip)
        self._adam.param_groups[0]["lr"] = own.rate * min(1.0, (self.steps + 1) / max(1, own.warmup))
        self._adam.step()
        self.autoencoder.normalise()

    def _keep(self, fired: Tensor, tokens: int, unexplained: float) -> None:
        """Bookkeeping of a step."""
        self.steps += 1
        self._silent = torch.where(fired > 0, 0, self._silent + tokens)
        self._rate = DECAY * self._rate + (1 - DECAY) * fired / tokens
        self._fvu = DECAY * self._fvu + (1 - DECAY) * unexplained

    def figures(self) -> Figures:
        """Figures of the last hundred batches or so, as they were met in training.

        Raises:
            SpecError: no step was made yet.
        """
        if self.steps == 0:
            raise SpecError(f"layer {self.spec.layer} was not trained yet; there are no figures before the first step")
        seen = 1 - DECAY**self.steps
        dense = self._rate / seen > self.settings.dense_above
        return Figures(1 - self._fvu / seen, float(self.dead.float().mean()), float(dense.float().mean()))

    def state_dict(self) -> dict[str, Any]:
        """All that later steps depend on: tensors and plain numbers; not a copy."""
        return {
            "autoencoder": self.autoencoder.state_dict(),
            "adam": self._adam.state_dict(),
            "steps": self.steps,
            "silent": self._silent,
            "rate": self._rate,
            "fvu": self._fvu,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.autoencoder.load_state_dict(state["autoencoder"])
        self._adam.load_state_dict(state["adam"])
        self.steps, self._fvu = state["steps"], state["fvu"]
        self._silent = state["silent"].to(self._silent)
        self._rate = state["rate"].to(self._rate)
