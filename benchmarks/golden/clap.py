"""Record what laion-clap's own classes give for drawn weights, clips and texts: tests/golden/clap.

In an environment of its own, because laion-clap asks for older packages than tada (see docs/metrics.md):

    pip install torch==2.13.0 transformers==5.23.0 numpy==1.26.4 "pandas<3" safetensors
    pip install laion-clap==1.1.7
    OMP_NUM_THREADS=1 python benchmarks/golden/clap.py

The network is laion-clap's CLAP_Module with its HTSAT class, front end included. So that it fits in a repository, HTSAT
is 16 wide and 2+2+2+2 deep, and RoBERTa has two layers of the width that laion-clap demands. Weights come from their
names (tests/clap_weights.py), so only what the network gives is stored. The names and shapes of the real sizes
(HTSAT-base, roberta-base) are stored too. Modules that laion-clap imports for training alone, torchvision and
torchaudio among them, may be missing: an empty one stands in.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import torch
import transformers
from safetensors.torch import save_file
from torch import Tensor

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import clap_weights as given  # noqa: E402

OUT = ROOT / "tests" / "golden" / "clap"
TRAINING = ("torchvision", "torchvision.transforms", "torchvision.datasets", "torchvision.ops", "torchvision.ops.misc")
TRAINING += ("torchaudio", "h5py", "braceexpand", "webdataset", "wget", "ftfy")
SMALL = {"width": 16, "depths": [2, 2, 2, 2], "heads": [2, 2, 4, 4]}


def stand_ins() -> dict[str, Any]:
    """An empty module for each of those used in training that is missing, or was built for another torch."""
    made = {}
    for name in TRAINING:
        try:
            import_module(name)
        except (ImportError, OSError, RuntimeError):
            made[name] = mock.MagicMock(__spec__=ModuleSpec(name, None), __path__=[])
    return made


def roberta(**sizes: int) -> Any:
    """RoBERTa as published, but for these sizes."""
    common = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
    return transformers.RobertaModel(transformers.RobertaConfig(**(common | sizes)))


def build(text: Any, tokens: Any, small: bool) -> Any:
    """laion-clap's module around a text network, the HTSAT small or HTSAT-base."""
    # laion-clap reads three tokenizers and a text network from the hub as it is imported and built.
    names = ("BertTokenizer", "RobertaTokenizer", "BartTokenizer")
    patches = [mock.patch.object(getattr(transformers, name), "from_pretrained", lambda *_: tokens) for name in names]
    patches.append(mock.patch.object(transformers.RobertaModel, "from_pretrained", lambda *_: text))
    patches.append(mock.patch.dict(sys.modules, stand_ins()))
    for patch in patches:
        patch.start()
    try:
        import laion_clap

        factory, model = import_module("clap_module.factory"), import_module("clap_module.model")
        if not small:
            return laion_clap.CLAP_Module(amodel="HTSAT-base", device="cpu").eval()
        shrink(factory)
        with mock.patch.object(model, "create_htsat_model", htsat):
            return laion_clap.CLAP_Module(amodel="HTSAT-small", device="cpu").eval()
    finally:
        for patch in reversed(patches):
            patch.stop()


def shrink(factory: Any) -> None:
    """Tell laion-clap of HTSAT-small: HTSAT-base with another width."""
    config = json.loads((Path(factory.__file__).parent / "model_configs" / "HTSAT-base.json").read_text())
    config["embed_dim"] = 8 * SMALL["width"]
    with TemporaryDirectory() as folder:
        (Path(folder) / "HTSAT-small.json").write_text(json.dumps(config))
        factory.add_model_config(folder)


def htsat(config: Any, *_: Any) -> Any:
    """laion-clap's HTSAT at the small size."""
    sizes = {"embed_dim": SMALL["width"], "depths": SMALL["depths"], "num_heads": SMALL["heads"]}
    found = import_module("clap_module.htsat").HTSAT_Swin_Transformer
    return found(num_classes=config.class_num, config=config, **sizes)


def shapes(network: Any) -> dict[str, list[int]]:
    """Every tensor of the state dict, by name."""
    return {name: list(value.shape) for name, value in network.state_dict().items()}


def hear(module: Any, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Embedding [width] and the outputs [tokens, channels] of the four stages for a clip of at most 10 s."""
    stages: list[Tensor] = []
    layers = module.model.audio_branch.layers
    hooks = [layer.register_forward_hook(lambda _, __, out: stages.append(out[0][0])) for layer in layers]
    embedding = module.get_audio_embedding_from_data(wave[None], use_tensor=True)[0]
    for hook in hooks:
        hook.remove()
    return embedding, stages


def spectrum(module: Any, wave: Tensor) -> Tensor:
    """Log-mel spectrum [frames, bands] that HTSAT makes of a clip filled up to 10 s."""
    found: list[Tensor] = []
    hook = module.model.audio_branch.logmel_extractor.register_forward_hook(lambda _, __, out: found.append(out[0, 0]))
    module.get_audio_embedding_from_data(wave[None], use_tensor=True)
    hook.remove()
    return found[0]


def lpaps(first: list[Tensor], other: list[Tensor], axis: int) -> float:
    """Each stage to unit norm along an axis (0 tokens, 1 channels), squares summed along it, mean, sum of stages."""
    total = 0.0
    for a, b in zip(first, other, strict=True):
        u, v = (x.double() / (x.double().square().sum(axis, keepdim=True).sqrt() + 1e-10) for x in (a, b))
        total += float((u - v).square().sum(axis).mean())
    return total


def windows(wave: Tensor) -> list[Tensor]:
    """10 s every 9 s, the last ones shorter."""
    return [wave[start : start + 480000] for start in range(0, len(wave), 432000)]


@torch.no_grad()
def record(module: Any) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and numbers of the small network."""
    heard = {name: hear(module, given.clip(name, seconds)) for name, seconds in (("a", 10), ("b", 10), ("c", 3.3))}
    embeddings = module.get_text_embedding(list(given.TEXTS), use_tensor=True)
    tensors = {f"stage.{index}": stage for index, stage in enumerate(heard["a"][1])}
    tensors |= {f"audio.{name}": embedding for name, (embedding, _) in heard.items()} | {"text": embeddings}
    tensors["spectrum"] = spectrum(module, given.clip("c", 3.3))[::50]
    tensors["filters"] = module.model.audio_branch.logmel_extractor.melW
    long = [[hear(module, part) for part in windows(given.clip(name, 21))] for name in ("d", "e")]
    similar = [float(torch.stack([embedding for embedding, _ in one]).mean(0) @ embeddings[0]) for one in long]
    numbers: dict[str, Any] = {"similarity": dict(zip("de", similar, strict=True))}
    for axis, name in enumerate(("tokens", "channels")):
        pairs = [lpaps(first[1], other[1], axis) for first, other in zip(*long, strict=True)]
        apart = lpaps(heard["a"][1], heard["b"][1], axis)
        numbers[name] = {"a-b": apart, "d-e": sum(pairs) / len(pairs)}
    return {name: value.contiguous() for name, value in tensors.items()}, numbers


def main() -> None:
    """Write recordings.safetensors, recordings.json and names.json."""
    with TemporaryDirectory() as folder:
        tokens = given.tokenizer(Path(folder))
    large = shapes(build(roberta(), tokens, small=False).model)
    sizes = {"vocab_size": given.LETTERS, "num_hidden_layers": 2, "intermediate_size": 96}
    module = build(roberta(**sizes, max_position_embeddings=80), tokens, small=True)
    small = shapes(module.model)
    left = module.model.load_state_dict(given.weights(small), strict=False)
    assert not left.unexpected_keys and not [name for name in left.missing_keys if given.drawn(name)]
    tensors, numbers = record(module)
    OUT.mkdir(parents=True, exist_ok=True)
    save_file(tensors, OUT / "recordings.safetensors")
    made = {"torch": torch.__version__, "transformers": transformers.__version__, "laion-clap": "1.1.7"}
    (OUT / "recordings.json").write_text(json.dumps({"made with": made, **numbers}, indent=1) + "\n")
    (OUT / "names.json").write_text(json.dumps({"small": small, "HTSAT-base": large}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
