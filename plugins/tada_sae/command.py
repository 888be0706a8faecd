"""`tada convert-sae`: from the files of one library to those of another."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Layout(StrEnum):
    """Whose files."""

    SAELENS = "saelens"
    SPARSIFY = "sparsify"


def convert_sae(
    source: Annotated[Path, typer.Argument(help="Folder of SAELens, or of sparsify with --hookpoint.")],
    out: Annotated[Path, typer.Argument(help="Folder to write.")],
    to: Annotated[Layout, typer.Option(help="Layout of what is written.")] = Layout.SAELENS,
    hookpoint: Annotated[str, typer.Option(help="Name of the module in sparsify's layout.")] = "layer",
) -> None:
    """Convert a sparse autoencoder between the files of SAELens and of sparsify; only safetensors are read."""
    from tada_sae.formats import SAELENS, read_saelens, read_sparsify, write_saelens, write_sparsify

    lens = (source / SAELENS).is_file()
    sae = read_saelens(source) if lens else read_sparsify(source, hookpoint)
    features, width = sae.decoder.shape
    written = write_saelens(sae, out) if to == Layout.SAELENS else write_sparsify(sae, out, hookpoint)
    print(f"{features} features of width {width}, k = {sae.k}: {written}")
