"""A small MuQ-MuLan of the real classes; its weights are drawn from its parameters' names, the same anywhere."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch

WORDS = ["this", "is", "a", "music", "of", "fast", "slow", "piano", "tune", "track", "the", "drums"]
TEXTS = ("This is a music of a fast track", "This is a music of a piano tune", "a slow track")

CONFORMER = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "position_embeddings_type": "rotary",
    "rotary_embedding_base": 10000,
    "max_source_positions": 5000,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4,
    "feat_extract_activation": "gelu",
    "hidden_act": "swish",
    "layer_norm_eps": 1e-5,
    "hidden_dropout": 0.1,
    "activation_dropout": 0.1,
    "attention_dropout": 0.1,
    "conformer_conv_dropout": 0.1,
    "conv_depthwise_kernel_size": 5,
    "layerdrop": 0.0,
}


class Plain(dict):
    """What muq gives as a config: a mapping whose keys are attributes, and nothing else."""

    def __getattr__(self, name):
        if name not in self:
            raise AttributeError(name)
        return self[name]

    __setattr__ = dict.__setitem__


def drawn(name, shape):
    """Normal numbers of a name, of deviation 0.4 around 0, or around 1 for a norm's weight."""
    generator = torch.Generator().manual_seed(int(hashlib.sha256(name.encode()).hexdigest()[:8], 16))
    around = 1.0 if "norm" in name and name.endswith(("weight", "gamma")) else 0.0
    return around + 0.4 * torch.randn(shape, generator=generator)


def fill(network):
    """Draw every parameter, by a name that does not depend on how weight norm is written."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(
                drawn(name.replace("parametrizations.", "").replace("weight.original", "weight_"), parameter.shape)
            )
    return network.eval()


def clip(samples, seed=0):
    """Three notes and a little noise at 24 kHz, [samples]."""
    time = torch.arange(samples) / 24000
    tones = sum(torch.sin(2 * torch.pi * pitch * time * (1 + 0.7 * seed)) for pitch in (220.0, 440.0, 1320.0))
    noise = torch.randn(samples, generator=torch.Generator().manual_seed(seed))
    return 0.2 * tones * torch.exp(-(time % (0.5 + seed)) * 4) + 0.03 ** (seed + 1) * noise


def save_tokenizer(folder):
    """A tokeniser of whole words, between <s> and </s>."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    ids = {word: index for index, word in enumerate(special + WORDS)}
    tokenizer = Tokenizer(models.WordLevel(ids, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    about = {"tokenizer_class": "PreTrainedTokenizerFast", **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


def save(folder: Path, depth: int = 0) -> Path:
    """The folder of a checkpoint: config.json, and beside it the two that muq builds the network around.

    Args:
        folder: where.
        depth: layers of the audio transformer over MuQ (published: 0).
    """
    from muq import MuQ, MuQConfig
    from transformers import XLMRobertaConfig, XLMRobertaModel

    stat = {"melspec_2048_mean": 6.77, "melspec_2048_std": 18.4}
    muq = MuQConfig(
        codebook_size=16, conv_dim=8, encoder_dim=32, encoder_depth=3, stat=stat, w2v2_config=dict(CONFORMER)
    )
    MuQ(muq).save_pretrained(folder / "muq-small")
    text = XLMRobertaConfig(
        vocab_size=32, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, pad_token_id=1
    )
    XLMRobertaModel(text).save_pretrained(folder / "xlm-roberta-small")
    save_tokenizer(folder / "xlm-roberta-small")
    sizes = {"dim": 32, "dim_head": 8, "heads": 4, "attn_dropout": 0, "ff_dropout": 0, "ff_mult": 2}
    config = {
        "mulan": {"sr": 24000, "clip_secs": 10, "dim_latent": 16, "rank_contrast": True},
        "audio_model": {"name": str(folder / "muq-small"), "model_dim": 32, "use_layer_idx": -1},
        "text_model": {"name": str(folder / "xlm-roberta-small"), "model_dim": None, "use_layer_idx": -1},
        "audio_transformer": {**sizes, "tf_depth": depth},
        "text_transformer": {**sizes, "tf_depth": 2, "max_seq_len": 64},
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def build(folder: Path):
    """The library's own network of a saved folder, filled; nothing of tada in it."""
    from muq import MuQMuLan

    return fill(MuQMuLan(json.loads((folder / "config.json").read_text())))
