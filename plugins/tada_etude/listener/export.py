"""From a checkpoint to a folder of weights, and from there to a listener."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import attrs
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tada_core.errors import CheckpointError
from tada_etude.listener.config import ListenerConfig
from tada_etude.listener.network import Listener
from tada_etude.listener.words import telling

WEIGHTS: Final = "listener.safetensors"
CONFIG: Final = "config.json"


@attrs.frozen(eq=False)
class Trained:
    """A listener, the words it reads, in the order of their numbers, and those that say something about a sound."""

    network: Listener
    config: ListenerConfig
    words: tuple[str, ...]
    telling: tuple[str, ...]


def export(folder: Path, destination: Path) -> None:
    """Write the weights of `folder`'s checkpoint in float16, with the recipe and the words beside them.

    Raises FileNotFoundError where the folder has no checkpoint.
    """
    stored = torch.load(folder / "checkpoint.pt", weights_only=True)
    destination.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() for name, value in stored["network"].items()}, destination / WEIGHTS)
    content = {"training": stored["config"], "words": stored["words"], "telling": telling()}
    (destination / CONFIG).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read(folder: Path) -> Trained:
    """The listener of a folder that `export` wrote, in float32.

    Raises:
        CheckpointError: a file is missing, damaged, or of another network.
    """
    remedy = "write it again with `tada train-listener --export`"
    try:
        content = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        config = ListenerConfig(**content["training"])
        with torch.random.fork_rng():
            network = Listener(config, len(content["words"]))
        network.load_state_dict({name: value.float() for name, value in load_file(folder / WEIGHTS).items()})
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split()[:16])
        raise CheckpointError(f"'{folder}' holds no listener ({reason}); {remedy}") from error
    network.requires_grad_(False).eval()
    return Trained(network, config, tuple(content["words"]), tuple(content["telling"]))
