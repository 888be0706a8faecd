"""Where the autoencoders of a training are kept: a folder per layer, in SAELens' layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict

from tada_core import ModelAdapter
from tada_core.errors import ArtifactError
from tada_sae.files import CONFIG, read_config
from tada_sae.formats import write_saelens
from tada_sae.settings import Spec, TrainSettings
from tada_sae.trainer import Trainer

LAYER = "layer."
"""Beginning of the name of a layer's folder."""


def folder_of(spec: Spec, specs: Sequence[Spec]) -> Path:
    """Where a spec's autoencoder goes: layer.<n>, below m<expansion>-k<k> where there are several of these.

    A folder of one expansion and k is what the method `sae` takes as its `source`.
    """
    several = len({(one.expansion, one.k) for one in specs}) > 1
    own = Path(f"{LAYER}{spec.layer}")
    return Path(f"m{spec.expansion}-k{spec.k}") / own if several else own


def save(
    folder: Path, model: ModelAdapter, trained: Mapping[Spec, Trainer], settings: TrainSettings, prompts: int
) -> dict[Spec, Path]:
    """Write every autoencoder, with what it was trained on and how good it is in the metadata of its config."""
    specs = tuple(trained)
    return {
        spec: write_saelens(
            trainer.autoencoder.value(),
            folder / folder_of(spec, specs),
            _about(model, spec, trainer, settings, prompts),
        )
        for spec, trainer in trained.items()
    }


def _about(model: ModelAdapter, spec: Spec, trainer: Trainer, settings: TrainSettings, prompts: int) -> dict[str, Any]:
    layer, stream = model.layer(spec.layer), settings.stream
    return {
        "model": model.name,
        "layer": layer.index,
        "path": layer.path,
        "expansion": spec.expansion,
        "figures": asdict(trainer.figures()),
        "steps": trainer.steps,
        "prompts": prompts,
        "trainer": asdict(settings.trainer),
        "stream": asdict(stream) | {"settings": asdict(model.resolve(stream.settings))},
    }


def layers_in(folder: Path) -> tuple[int, ...]:
    """The layers a folder has autoencoders of, by the names of its folders.

    Raises:
        ArtifactError: it has none; names the folders below it that do.
    """
    found = sorted(
        int(number) for one in folder.glob(f"{LAYER}*") if (number := one.name.removeprefix(LAYER)).isdecimal()
    )
    if not found:
        below = sorted({str(one.parent) for one in folder.glob(f"*/{LAYER}*")})
        hint = f"choose one of: {', '.join(below)}" if below else "train some with `tada train-sae`"
        raise ArtifactError(f"no folder {LAYER}<number> in '{folder}'; {hint}")
    return tuple(found)


def check_model(folder: Path, model: ModelAdapter) -> None:
    """Refuse autoencoders that say that they were trained on another model; those that do not say may be right.

    Raises:
        ArtifactError: names both models.
    """
    for path in sorted(folder.glob(f"{LAYER}*/{CONFIG}")):
        about = read_config(path.parent, ()).get("metadata")
        trained = about.get("model") if isinstance(about, dict) else None
        if trained not in (None, model.name):
            raise ArtifactError(
                f"'{path.parent}' was trained on '{trained}', not on '{model.name}'; use --on {trained}"
            )
