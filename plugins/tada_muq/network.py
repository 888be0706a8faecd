"""MuQ-MuLan's network: the class of package `muq`, built without running code that comes with a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tada_core.errors import CheckpointError, MissingExtraError
from tada_muq.compat import repair

TOWERS = {"audio_model": "muq", "text_model": "xlm-roberta"}
"""What the names of the two inner checkpoints hold; muq would run any other one's own code."""

TEXTS = ("slow piano", "fast drums")
"""Two texts as long as each other in words and letters, which a tokeniser without its vocabulary cannot tell apart."""


def build(config: Path) -> Any:
    """The network that config.json describes, mended for this transformers and ready for use, without its weights.

    muq builds it around two more checkpoints, which the config names: MuQ, and XLM-RoBERTa with its tokeniser.

    Raises:
        CheckpointError: one of those two is not there or of another kind, or the tokeniser gives two texts the same
            tokens.
        MissingExtraError: muq cannot be imported.
    """
    described = json.loads(config.read_text())
    names = [inner(described, tower) for tower in TOWERS]
    try:
        network = _class()(described)
    except OSError as error:
        raise CheckpointError(f"MuQ-MuLan also needs {' and '.join(names)}; `hf download` them: {error}") from error
    network.mulan_module.text._tokenizer = _tokenizer(described["text_model"]["name"])
    repair(network)
    return network.eval().requires_grad_(False)


def inner(described: Mapping[str, Any], tower: str) -> str:
    """Name of the checkpoint inside a tower, of the one kind that is built without code of its own."""
    name = str(described.get(tower, {}).get("name", ""))
    if TOWERS[tower] not in (name.lower() if tower == "audio_model" else name):
        raise CheckpointError(f"config.json names '{name}' as {tower}; tada runs only one with '{TOWERS[tower]}' in it")
    return name


def check_tokenizer(tokenizer: Any) -> Any:
    """The tokeniser itself; one without its vocabulary gives every text the same tokens, and every score the same."""
    first, second = (list(tokenizer(text)["input_ids"]) for text in TEXTS)
    if first == second:
        raise CheckpointError(f"the tokeniser gives '{TEXTS[0]}' and '{TEXTS[1]}' the same tokens; download it again")
    return tokenizer


def _tokenizer(name: str) -> Any:
    from transformers import AutoTokenizer

    return check_tokenizer(AutoTokenizer.from_pretrained(name))


def _class() -> Any:
    try:
        from muq import MuQMuLan
    except (ImportError, OSError, RuntimeError) as error:
        raise MissingExtraError(
            f"metric 'muq' cannot import muq ({type(error).__name__}: {error}): pip install \"tada-core[muq]\", and "
            "torchaudio and torchvision of the same build as torch (for CUDA, or for the CPU)"
        ) from error
    return MuQMuLan
