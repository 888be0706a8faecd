"""The training loop: seeded step by step, so that a run killed and resumed ends where an uninterrupted one does."""

from __future__ import annotations

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
from tada_etude.training.checkpoint import learning_rate, read, write

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
    state = resume(config, read(folder, config))
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
    meant = state.network.text(ids(batch.texts, state.words, config))
    logits = state.network.scale.clamp(max=HOTTEST).exp() * heard[:sound] @ meant.T
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


def save(state: State, config: ListenerConfig, folder: Path) -> None:
    """Write `checkpoint.pt` and `loss.csv`."""
    content: dict[str, Any] = {
        "step": state.step,
        "words": state.words,
        "network": state.network.state_dict(),
        "optimiser": state.optimiser.state_dict(),
    }
    write(folder, config, state.curve, content)


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
    return State(network, optimiser, words, stored["step"], stored["curve"])
