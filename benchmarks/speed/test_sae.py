"""Cost of one training step of a sparse autoencoder, as ratios to one product with its encoder, the least there is.

OMP_NUM_THREADS=1 pytest benchmarks/speed/test_sae.py

Side by side with SAELens where that is installed (docs/sae.md), as a ratio of CPU times in one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tada_sae.loss import fvu
from tada_sae.settings import Selection, Spec, TrainerSettings
from tada_sae.trainer import Trainer

WIDTH, EXPANSION, K, BATCH = 512, 8, 32, 4096
STEPS = 40
"""Of both trainers, side by side."""


@pytest.fixture(scope="module")
def h() -> Tensor:
    """Activations that are as sparse as an autoencoder hopes: 32 of 4096 directions at every token."""
    draw = torch.Generator().manual_seed(0)
    return sparse(BATCH, draw, nn.functional.normalize(torch.randn(EXPANSION * WIDTH, WIDTH, generator=draw)))


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


def sparse(batch: int, draw: torch.Generator, true: Tensor) -> Tensor:
    """Tokens of K directions each."""
    chosen, amounts = torch.randint(len(true), (batch, K), generator=draw), torch.rand(batch, K, generator=draw)
    return nn.functional.embedding_bag(chosen, true, mode="sum", per_sample_weights=amounts)


@pytest.mark.benchmark(group="a step of a sparse autoencoder")
def test_against_sae_lens(benchmark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The trainer of SAELens and ours in turns, from one start on the same batches: CPU time a step, and the loss.

    Both with TopK, Adam at 3e-3 without warm-up, gradients clipped at 1, and no feature dead yet.
    """
    sae_lens: Any = pytest.importorskip(
        "sae_lens", reason="sae-lens is not installed; docs/sae.md says how to run this in an environment of its own"
    )
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    draw, features = torch.Generator().manual_seed(0), EXPANSION * WIDTH
    true = nn.functional.normalize(torch.randn(features, WIDTH, generator=draw))
    first, unseen = sparse(BATCH, draw, true), sparse(BATCH, draw, true)
    ours = Trainer(WIDTH, Spec(0, EXPANSION, K), TrainerSettings(rate=3e-3, warmup=0, selection="token"))
    theirs = sae_lens.TopKTrainingSAE(sae_lens.TopKTrainingSAEConfig(d_in=WIDTH, d_sae=features, k=K))
    ours.autoencoder.decoder_bias.data.copy_(first.mean(0))
    theirs.load_state_dict(
        {"W_enc": ours.autoencoder.encoder.T, "b_enc": ours.autoencoder.encoder_bias}
        | {"W_dec": ours.autoencoder.decoder, "b_dec": ours.autoencoder.decoder_bias}
    )
    config = SAETrainerConfig(total_training_samples=10**9, train_batch_size_samples=BATCH, lr=3e-3, lr_end=3e-3)
    trainer = SAETrainer(config, theirs, iter(()))
    works = {"ours": lambda h: ours.step(h), "sae-lens": lambda h: trainer.step(h)}
    taken: dict[str, list[float]] = {name: [] for name in works}

    def turn() -> None:
        h = first if not taken["ours"] else sparse(BATCH, draw, true)
        for name, work in works.items():
            started = time.process_time()
            work(h)
            taken[name].append(time.process_time() - started)

    benchmark.pedantic(turn, rounds=STEPS)
    with torch.no_grad():
        left = {
            "ours": float(fvu(unseen, ours.autoencoder.eval()(unseen))),
            "sae-lens": float(fvu(unseen, theirs.eval()(unseen))),
        }
    ratio = median(own / other for own, other in zip(taken["ours"][2:], taken["sae-lens"][2:], strict=True))
    benchmark.extra_info |= {"ratio of CPU time": ratio, "variance unexplained": left, "sae-lens": sae_lens.__version__}
    with capsys.disabled():
        milliseconds = {name: round(1000 * median(times[2:])) for name, times in taken.items()}
        print(f"\nsae-lens {sae_lens.__version__}, torch {torch.__version__}: CPU time a step {ratio:.2f}, ", end="")
        print(f"{milliseconds} ms; variance unexplained after {STEPS} steps: {left}")
    assert left["ours"] <= 1.01 * left["sae-lens"] < 0.9
    assert ratio < 0.6
