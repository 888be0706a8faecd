"""Trained autoencoders of a model's layers in a folder: which sub-folder is which layer's.

A layer's sub-folder is called `layer.<index>`, or by the layer's module path, its block or its alias, as the hookpoints
of sparsify are; each is in SAELens' layout or in sparsify's.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tada_core import ModelAdapter, SparseAutoencoder
from tada_core.errors import ArtifactError
from tada_core.sites import Layer
from tada_sae.files import CONFIG, read_config, whole
from tada_sae.folder import LAYER, check_model
from tada_sae.formats import SAELENS, read_saelens, read_sparsify


def place(folder: Path, layer: Layer) -> Path:
    """The sub-folder of a layer.

    Raises:
        ArtifactError: there is none; names those that are there.
    """
    names = [name for name in (f"{LAYER}{layer.index}", layer.path, layer.alias, layer.block) if name]
    for name in names:
        if (folder / name / CONFIG).is_file():
            return folder / name
    # One level deeper too: a folder of several sizes is a likely mistake.
    there = (one.parent for level in ("*", "*/*") for one in folder.glob(f"{level}/{CONFIG}"))
    known = ", ".join(sorted(one.relative_to(folder).as_posix() for one in there)) or "none"
    wanted = ", ".join(dict.fromkeys(names))
    raise ArtifactError(f"no autoencoder of layer {layer.index} in '{folder}' ({wanted}); it has: {known}")


def check(folder: Path, model: ModelAdapter, layers: Iterable[Layer]) -> None:
    """Refuse a folder of another model's, or that lacks a layer or has it at another width, by the configs alone.

    Raises:
        ArtifactError: names the model, or the layer and what is there.
    """
    check_model(folder, model)
    for layer in layers:
        found = place(folder, layer)
        check_width(whole(found, read_config(found, ("d_in", "k")), "d_in"), layer, f"'{found}'")


def check_width(width: int, layer: Layer, what: str) -> None:
    """Refuse an autoencoder of another width.

    Raises:
        ArtifactError: names both widths.
    """
    if width != layer.width:
        raise ArtifactError(
            f"{what} reads activations of width {width}, but layer {layer.index} is {layer.width} wide; "
            "take autoencoders that were trained on this model"
        )


def read(folder: Path, layers: Iterable[Layer]) -> dict[int, SparseAutoencoder]:
    """The autoencoders of some layers.

    Raises:
        ArtifactError: as `check`, and where weights are missing or damaged.
    """
    found = {layer.index: place(folder, layer) for layer in layers}
    return {index: _read(path) for index, path in found.items()}


def _read(path: Path) -> SparseAutoencoder:
    return read_saelens(path) if (path / SAELENS).is_file() else read_sparsify(path.parent, path.name)
