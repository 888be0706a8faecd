"""`tada fad`: how far one folder of clips lies from another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import tada_registry as tada
from tada_core.audio import Audio
from tada_core.errors import SpecError
from tada_registry.terminal.options import options
from tada_registry.terminal.screen import AsJson

ENDINGS = (".flac", ".wav", ".ogg")


def fad(
    clips: Annotated[Path, typer.Argument(help="Folder of clips.")],
    reference: Annotated[Path, typer.Argument(help="Folder of as many clips to compare with.")],
    by: Annotated[str, typer.Option(help="A metric that embeds clips.")] = "muq",
    settings: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE, an option of that metric.")] = None,
    seed: Annotated[int, typer.Option(help="Order in which the reference is halved.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Frechet distance between two folders of equally many clips; only distances of one n and one metric compare."""
    from attrs import asdict

    from tada_fad.report import compare

    embedder: Any = tada.get_metric(by, **options(settings or []))
    if not callable(getattr(embedder, "embed", None)):
        raise SpecError(f"metric '{by}' does not embed clips; take one that does, such as muq")
    report = compare(read(clips), read(reference), embedder, seed)
    if as_json:
        # NaN is no JSON; a floor that was not measured is null.
        print(json.dumps({**asdict(report), "floor": None if report.floor != report.floor else report.floor}))
        return
    print(f"distance {report.distance:.6g}, of {report.n} clips to {report.n}, by {report.embedder}")
    print(f"floor {report.floor:.6g}, between the halves of {reference} ({report.n // 2} clips each)")


def read(folder: Path) -> list[Audio]:
    """The clips of a folder and its subfolders, by name.

    Raises:
        SpecError: there are none.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS)
    if not found:
        raise SpecError(f"no clips in '{folder}'; a clip ends in {', '.join(ENDINGS)}")
    return [Audio.load(path) for path in found]
