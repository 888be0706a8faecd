"""LAION's CLAP in transformers' class: built from a state dict, every size read off the shapes.

Differs from laion-clap: the text network's layer norms take roberta-base's epsilon (1e-5), as laion-clap has it and
transformers' own conversion has not; transformers' names, otherwise the same network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from tada_clap.names import MADE, convert
from tada_clap.spectrum import BANDS, filters
from tada_core.errors import CheckpointError

if TYPE_CHECKING:
    from transformers import ClapConfig, ClapModel

FILTERS: Final = "audio_branch.logmel_extractor.melW"
AUDIO, TEXT = "audio_model.audio_encoder.", "text_model."
HEAD: Final = 64
"""Width of one attention head of RoBERTa, which no shape tells."""


def build(state: Mapping[str, Tensor], where: str) -> ClapModel:
    """The network with the weights of laion-clap's state dict, fp32, ready to run; `where` names the source in errors.

    Raises:
        CheckpointError: it is another network: parts are missing, unknown, or of another shape.
    """
    from transformers import ClapModel
    from transformers.initialization import no_init_weights

    listens_alike(state, where)
    converted = convert(state)
    try:
        config = configure(converted)
    except KeyError as error:
        raise CheckpointError(
            f"'{where}' has no tensor {error}; tada reads unfused CLAPs of HTSAT and RoBERTa"
        ) from error
    with no_init_weights():
        network = ClapModel(config)
    fill(network, converted, where)
    return network.float().eval().requires_grad_(False)


def listens_alike(state: Mapping[str, Tensor], where: str) -> None:
    """Refuse a checkpoint whose own mel filters are not ours: it was trained on another rate or band."""
    own = state.get(FILTERS, state.get(f"module.{FILTERS}"))
    if own is not None and not (own.shape == filters().shape and torch.allclose(own, filters(), atol=1e-6)):
        raise CheckpointError(f"'{where}' listens through other mel filters than 64 from 50 Hz to 14 kHz at 48 kHz")


def fill(network: Any, converted: Mapping[str, Tensor], where: str) -> None:
    """Put the weights into the network, all of them and no others."""
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in converted and not MADE.search(name)]
    other = [name for name in converted if name not in wanted or converted[name].shape != wanted[name].shape]
    if missing or other:
        raise CheckpointError(
            f"'{where}' is no unfused CLAP of HTSAT and RoBERTa: {len(missing)} tensors are missing"
            f" ({', '.join(missing[:3])}), {len(other)} are unknown or of another shape ({', '.join(other[:3])})"
        )
    network.load_state_dict(converted, strict=False)


def configure(converted: Mapping[str, Tensor]) -> ClapConfig:
    """The sizes of a converted state dict; KeyError names a tensor that is not there."""
    from transformers import ClapConfig

    joint = converted["audio_projection.linear2.weight"].shape[0]
    return ClapConfig(text_config=_text(converted), audio_config=_audio(converted), projection_dim=joint)


def _audio(converted: Mapping[str, Tensor]) -> dict[str, Any]:
    width = converted[AUDIO + "patch_embed.proj.weight"].shape[0]
    depths = [_count(converted, rf"{AUDIO}layers\.{stage}\.blocks") for stage in range(4)]
    table = AUDIO + "layers.{}.blocks.0.attention.self.relative_position_bias_table"
    heads = [converted[table.format(stage)].shape[1] for stage in range(4)]
    sizes = {"patch_embeds_hidden_size": width, "hidden_size": 8 * width, "num_mel_bins": BANDS}
    return {**sizes, "depths": depths, "num_attention_heads": heads, "enable_fusion": False}


def _text(converted: Mapping[str, Tensor]) -> dict[str, Any]:
    vocabulary, width = converted[TEXT + "embeddings.word_embeddings.weight"].shape
    inner = converted[TEXT + "encoder.layer.0.intermediate.dense.weight"].shape[0]
    places = converted[TEXT + "embeddings.position_embeddings.weight"].shape[0]
    layers = _count(converted, rf"{TEXT}encoder\.layer")
    sizes = {"vocab_size": vocabulary, "hidden_size": width, "num_hidden_layers": layers, "intermediate_size": inner}
    return {**sizes, "num_attention_heads": width // HEAD, "max_position_embeddings": places, "layer_norm_eps": 1e-5}


def _count(names: Mapping[str, Tensor], prefix: str) -> int:
    return len({found[1] for name in names if (found := re.match(rf"{prefix}\.(\d+)\.", name))})
