"""The training loop: seeded step by step, so that a run killed and resumed ends where an uninterrupted one does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tada_etude.listener.batch import Batch, draw_batch
from tada_etude.listener.config import ListenerConfig
from tada_etude.listener.data import Dataset, load_dataset
from tada_etude.listener.network import Listener
from tada_etude.listener.objective import contrast, tell_apart, true
from tada_etude.listener.words import numbers, vocabulary

EVERY: Final = 20
"""Steps between two points of the loss curve, each the mean of the steps since the last."""

HOTTEST: Final = 4.0
"""Largest logarithm of the scale of similarities."""


@attrs.define(eq=False)
class State:
    """All that a checkpoint holds. `words` is the vocabulary, `curve` is (step, mean loss) pairs."""

    network: Listener
    optimiser: torch.optim.AdamW
    words: tuple[str, ...]
    step: int = 0
    curve: list[tuple[int, float]] = attrs.field(factory=list)


def train(
    config: ListenerConfig,
    folder: Path,
    report: Callable[[int, int], None] | None = None,
    stop_after: int | None = None,
) -> State:
    """Train, or go on training, in `folder`, which holds the data set, `checkpoint.pt` and `loss.csv`.

    Args:
        config: the recipe; a run resumed with other `steps` continues on the new schedule.
        folder: made where it is missing.
        report: called with (done, total) every EVERY steps.
        stop_after: ends this call after so many steps.

    Raises:
        ValueError: the checkpoint is of another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = resume(config, checkpoint(config, folder))
    dataset = load_dataset(config, folder)
    last = config.steps if stop_after is None else min(config.steps, state.step + stop_after)
    losses: list[float] = []
    saved = time.monotonic()
    while state.step < last:
        losses.append(advance(state, config, dataset))
        if state.step % EVERY == 0 or state.step == last:
            state.curve.append((state.step, float(np.mean(losses))))
            losses = []
            if report:
                report(state.step, config.steps)
            if time.monotonic() - saved >= config.checkpoint_seconds:
                save(state, config, folder)
                saved = time.monotonic()
    save(state, config, folder)
    return state


def advance(state: State, config: ListenerConfig, dataset: Dataset) -> float:
    """One step of AdamW; everything random in it is drawn from the configuration's seed and the step's number."""
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate(state.step, config)
    loss = objective(state, config, draw_batch(dataset, config, state.step))
    state.optimiser.zero_grad()
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(state.network.parameters(), config.clip_norm)
    state.optimiser.step()
    state.step += 1
    return float(loss.detach())


def objective(state: State, config: ListenerConfig, batch: Batch) -> Tensor:
    """Captions find their clips, clips tell a caption from one that is wrong in a word, and damage is measured."""
    heard, severity, _ = state.network.audio(batch.log_mel)
    sound = len(batch.truth)
    read = state.network.text(ids(batch.texts, state.words, config))
    logits = state.network.scale.clamp(max=HOTTEST).exp() * heard[:sound] @ read.T
    right = true(batch.truth, batch.said)
    own = torch.arange(sound)
    pairs = torch.stack([own, own + sound], 1)
    error = functional.mse_loss(torch.sigmoid(severity), batch.severity)
    found = contrast(logits, right) + tell_apart(logits.gather(1, pairs), right.gather(1, pairs))
    return found + config.severity_weight * error


def ids(texts: list[str], words: tuple[str, ...], config: ListenerConfig) -> Tensor:
    """Word numbers [texts, longest]."""
    rows = [torch.tensor(numbers(text, words, config.text_length)) for text in texts]
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


def learning_rate(step: int, config: ListenerConfig) -> float:
    """Rate at a step: linear warm-up, then a cosine down to 1 % of the peak."""
    if step < config.warmup:
        return config.rate * (step + 1) / config.warmup
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    return config.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


def save(state: State, config: ListenerConfig, folder: Path) -> None:
    """Write `checkpoint.pt` and `loss.csv`, each by renaming a finished file."""
    content: dict[str, Any] = {
        "config": attrs.asdict(config),
        "step": state.step,
        "words": state.words,
        "network": state.network.state_dict(),
        "optimiser": state.optimiser.state_dict(),
        "curve": state.curve,
    }
    torch.save(content, folder / "checkpoint.part")
    (folder / "checkpoint.part").replace(folder / "checkpoint.pt")
    rows = ["step,loss", *(f"{step},{value:.5f}" for step, value in state.curve)]
    (folder / "loss.part").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / "loss.part").replace(folder / "loss.csv")


def checkpoint(config: ListenerConfig, folder: Path) -> dict[str, Any] | None:
    """What the folder's checkpoint holds, or None where there is none; read before any clip is synthesised.

    Raises ValueError where it is of another configuration.
    """
    path = folder / "checkpoint.pt"
    if not path.exists():
        return None
    stored: dict[str, Any] = torch.load(path, weights_only=True)
    free = {"steps", "checkpoint_seconds", "rate", "warmup"}
    differing = [k for k, v in attrs.asdict(config).items() if k not in free and stored["config"].get(k) != v]
    if differing:
        raise ValueError(f"{path} was trained with another {', '.join(differing)}; use another folder or that value")
    return stored


def resume(config: ListenerConfig, stored: dict[str, Any] | None) -> State:
    """The state that a checkpoint holds, or the one before the first step where there is none."""
    words = vocabulary() if stored is None else tuple(stored["words"])
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        network = Listener(config, len(words))
    optimiser = torch.optim.AdamW(
        network.parameters(), config.rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    if stored is None:
        return State(network, optimiser, words)
    network.load_state_dict(stored["network"])
    optimiser.load_state_dict(stored["optimiser"])
    return State(network, optimiser, words, stored["step"], [(int(n), float(value)) for n, value in stored["curve"]])
