"""Cost of one training step of a sparse autoencoder, as ratios to one product with its encoder, the least there is.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_sae.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tada_sae.settings import Selection, Spec, TrainerSettings
from tada_sae.trainer import Trainer

WIDTH, EXPANSION, K, BATCH = 512, 8, 32, 4096


@pytest.fixture(scope="module")
def h() -> Tensor:
    """Activations that are as sparse as an autoencoder hopes: 32 of 4096 directions at every token."""
    draw = torch.Generator().manual_seed(0)
    true = nn.functional.normalize(torch.randn(EXPANSION * WIDTH, WIDTH, generator=draw))
    chosen = torch.randint(len(true), (BATCH, K), generator=draw)
    return nn.functional.embedding_bag(
        chosen, true, mode="sum", per_sample_weights=torch.rand(BATCH, K, generator=draw)
    )


class Dense(nn.Module):
    """The same autoencoder by plain autograd, every tensor dense."""

    def __init__(self, like: nn.Module, selection: Selection) -> None:
        super().__init__()
        weights = {name: value.detach().clone() for name, value in like.named_parameters()}
        self.encoder, self.encoder_bias = (
            nn.Parameter(weights["encoder"].T.contiguous()),
            nn.Parameter(weights["encoder_bias"]),
        )
        self.decoder, self.decoder_bias = nn.Parameter(weights["decoder"]), nn.Parameter(weights["decoder_bias"])
        self.selection = selection
        self.adam = torch.optim.Adam(self.parameters(), lr=3e-5, fused=True)

    def step(self, h: Tensor) -> None:
        """Forward, backward, projection, clip, Adam, unit rows: what a trainer's step does."""
        active = torch.relu((h - self.decoder_bias) @ self.encoder + self.encoder_bias)
        flat = active.flatten() if self.selection == "batch" else active
        kept = flat.topk(K * BATCH if self.selection == "batch" else K, sorted=False)
        code = torch.zeros_like(flat).scatter(-1, kept.indices, kept.values).reshape(active.shape)
        loss = (h - code @ self.decoder - self.decoder_bias).square().sum() / (h - h.mean(0)).square().sum()
        self.adam.zero_grad()
        torch.autograd.backward(loss)
        rows = self.decoder.detach()
        assert self.decoder.grad is not None
        self.decoder.grad -= (self.decoder.grad * rows).sum(1, keepdim=True) * rows
        nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        self.adam.step()
        with torch.no_grad():
            self.decoder.copy_(nn.functional.normalize(self.decoder))


@pytest.mark.benchmark(group="a step of a sparse autoencoder")
@pytest.mark.parametrize("selection", ["token", "batch"])
def test_step(selection: Selection, h: Tensor, ratios: Callable[..., None]) -> None:
    """Our step and dense autograd's, as multiples of one encoder product (width 512, 4096 features, 4096 tokens)."""
    trainer = Trainer(WIDTH, Spec(0, EXPANSION, K), TrainerSettings(selection=selection))
    dense = Dense(trainer.autoencoder, selection)
    weight, bias = dense.encoder.detach().clone(), torch.zeros(EXPANSION * WIDTH)
    works = {
        "encoder product": lambda: torch.addmm(bias, h, weight),
        "ours": lambda: trainer.step(h),
        "dense autograd": lambda: dense.step(h),
    }
    ratios(works, rounds=9)


@pytest.mark.benchmark(group="a step of a sparse autoencoder")
def test_step_of_sae_lens(h: Tensor, ratios: Callable[..., None]) -> None:
    """Forward and backward of SAELens' own TopK autoencoder, with Adam, where it is installed."""
    pytest.importorskip(
        "sae_lens", reason="sae-lens is not installed; pip install sae-lens in an environment of its own"
    )
    from sae_lens import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.saes.sae import TrainStepInput

    features = EXPANSION * WIDTH
    sae: Any = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=WIDTH, d_sae=features, k=K))
    adam = torch.optim.Adam(sae.parameters(), lr=3e-5)
    known = {"sae_in": h, "coefficients": {}, "dead_neuron_mask": None, "n_training_steps": 0, "is_logging_step": False}
    # Its fields differ from version to version.
    given = TrainStepInput(**{one.name: known[one.name] for one in fields(TrainStepInput) if one.name in known})

    def step() -> None:
        adam.zero_grad()
        torch.autograd.backward(sae.training_forward_pass(given).loss)
        nn.utils.clip_grad_norm_(sae.parameters(), 1.0)
        adam.step()

    weight, bias = torch.randn(WIDTH, features), torch.zeros(features)
    ratios({"encoder product": lambda: torch.addmm(bias, h, weight), "sae-lens": step}, rounds=9)
