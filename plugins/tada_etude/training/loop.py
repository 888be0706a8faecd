"""The training loop: seeded step by step, so that a run killed and resumed ends where an uninterrupted one does."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import PreTrainedTokenizerFast

from tada_etude.training.checkpoint import learning_rate, read, write
from tada_etude.training.config import TrainConfig
from tada_etude.training.data import Dataset, captions, load_dataset
from tada_etude.training.network import (
    Network,
    attention_weights,
    build_network,
    build_text_encoder,
    build_tokenizer,
    open_text_path,
    read_tokenizer,
)
from tada_etude.training.objective import loss as objective

EVERY = 20
"""Steps between two points of the loss curve, each the mean of the steps since the last."""


@attrs.frozen
class Progress:
    """How far a run is: the step just done, out of how many, the mean loss since the last report, seconds per step."""

    step: int
    steps: int
    loss: float
    seconds: float


@attrs.define(eq=False)
class State:
    """All that a checkpoint holds. `curve` is (step, mean loss) pairs."""

    network: Network
    optimiser: torch.optim.AdamW
    average: dict[str, torch.Tensor]
    step: int = 0
    curve: list[tuple[int, float]] = attrs.field(factory=list)


def train(
    config: TrainConfig,
    folder: Path,
    report: Callable[[Progress], None] | None = None,
    stop_after: int | None = None,
) -> State:
    """Train, or go on training, in `folder`, which holds the data set and `checkpoint.pt`.

    A run resumed with other `steps` continues on the new schedule. `stop_after` ends this call after so many steps.
    Raises ValueError where the checkpoint is of another configuration.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stored = read(folder, config)
    dataset = load_dataset(config, folder)
    state = resume(config, stored, dataset)
    last = config.steps if stop_after is None else min(config.steps, state.step + stop_after)
    losses: list[float] = []
    saved = started = time.monotonic()
    while state.step < last:
        losses.append(advance(state, config, dataset))
        if state.step % EVERY == 0 or state.step == last:
            now = time.monotonic()
            state.curve.append((state.step, float(np.mean(losses))))
            if report:
                report(Progress(state.step, config.steps, state.curve[-1][1], (now - started) / len(losses)))
            losses, started = [], now
            if now - saved >= config.checkpoint_seconds:
                save(state, config, folder)
                saved = now
    save(state, config, folder)
    return state


def advance(state: State, config: TrainConfig, dataset: Dataset) -> float:
    """One step of AdamW; everything random in it is drawn from the configuration's seed and the step's number."""
    if state.step == config.listen:
        listen(state, config)
    rng = np.random.default_rng((config.seed, state.step))
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    indices = rng.integers(len(dataset.latents), size=config.batch)
    latents = torch.from_numpy(dataset.latents[indices]).float()
    texts = captions(dataset, indices, config, rng)
    seconds = latents.shape[2] * dataset.decoder.hop_length / dataset.decoder.sampling_rate
    half = torch.autocast("cpu", torch.bfloat16) if config.half else nullcontext()
    with half, sdpa_kernel(SDPBackend.MATH):  # the fused kernel's backward pass is slower than its parts in bfloat16
        high = config.noisiest if state.step >= config.listen else 0.0
        loss = objective(state.network, latents, texts, config.null, high, seconds, generator)
    for group in state.optimiser.param_groups:
        group["lr"] = learning_rate(state.step, config)
    state.optimiser.zero_grad()
    torch.autograd.backward(loss)
    modules = state.network.modules()
    if config.listen <= state.step < config.attend:
        for parameter in attention_weights(state.network.transformer):
            parameter.grad = None
    torch.nn.utils.clip_grad_norm_(modules.parameters(), config.clip_norm)
    state.optimiser.step()
    state.step += 1
    decay = min(config.ema, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        torch._foreach_lerp_(list(state.average.values()), list(modules.state_dict().values()), 1 - decay)
    return float(loss.detach())


def listen(state: State, config: TrainConfig) -> None:
    """Draw the text encoder and the text path anew: from here on the network learns words.

    A network that learns sound and words at once finds the words useless at first, sends its attention to the empty
    tokens within some hundred steps, and stays deaf for thousands. One that knows the sound has nothing else to gain
    from the noisiest times than what the words say.
    """
    network = state.network
    with torch.random.fork_rng():
        torch.manual_seed(config.seed + 1)
        opened = open_text_path(network.transformer)
        network.text_encoder.load_state_dict(build_text_encoder(config, len(network.tokenizer)).state_dict())
    opened += network.text_encoder.parameters()
    for parameter in opened:
        state.optimiser.state.pop(parameter, None)
    drawn = {id(parameter) for parameter in opened}
    for name, parameter in network.modules().named_parameters(remove_duplicate=False):
        if id(parameter) in drawn:
            state.average[name].copy_(parameter.detach())


def fresh(config: TrainConfig, dataset: Dataset, tokenizer: PreTrainedTokenizerFast) -> State:
    """The state before the first step."""
    torch.manual_seed(config.seed)
    network = build_network(config, dataset.latents.shape[2], tokenizer)
    modules = network.modules()
    trained = [p for p in modules.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, config.rate, betas=(0.9, 0.98), weight_decay=config.weight_decay, fused=True)
    return State(network, optimiser, {name: value.clone() for name, value in modules.state_dict().items()})


def save(state: State, config: TrainConfig, folder: Path) -> None:
    """Write `checkpoint.pt` and `loss.csv`."""
    content: dict[str, Any] = {
        "step": state.step,
        "tokenizer": state.network.tokenizer.backend_tokenizer.to_str(),
        "modules": state.network.modules().state_dict(),
        "average": state.average,
        "optimiser": state.optimiser.state_dict(),
    }
    write(folder, config, state.curve, content)


def resume(config: TrainConfig, stored: dict[str, Any] | None, dataset: Dataset) -> State:
    """The state that a checkpoint holds, or a fresh one where there is none."""
    if stored is None:
        return fresh(config, dataset, build_tokenizer(config))
    state = fresh(config, dataset, read_tokenizer(stored["tokenizer"], config))
    state.network.modules().load_state_dict(stored["modules"])
    state.optimiser.load_state_dict(stored["optimiser"])
    state.average = stored["average"]
    state.step = stored["step"]
    state.curve = stored["curve"]
    return state
