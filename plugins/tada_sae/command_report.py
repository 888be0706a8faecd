"""`tada sae-report`: which features fire on which clips, as a page one can listen to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer

import tada_registry as tada
from tada_core.errors import SpecError
from tada_core.progress import bar
from tada_registry.terminal.model import Load, On, Source
from tada_registry.terminal.numbers import layers as layer_list
from tada_registry.terminal.options import options


def sae_report(
    folder: Annotated[Path, typer.Argument(help="Folder of autoencoders, such as `tada train-sae` writes.")],
    on: On = "etude",
    source: Source = None,
    load: Load = None,
    layers: Annotated[str, typer.Option(help="Layers, such as 2,4, or all that the folder has.")] = "all",
    concept: Annotated[str | None, typer.Option(help="Concepts, such as tempo,drums; default those of etude.")] = None,
    captions: Annotated[
        Path | None, typer.Option(help="Further prompts: .txt (a line each), .csv, .json or .jsonl.")
    ] = None,
    top_features: Annotated[int, typer.Option(min=1, help="Features per layer and side of a concept.")] = 20,
    clips: Annotated[int, typer.Option(min=1, help="Clips per side of a concept.")] = 8,
    top_clips: Annotated[int, typer.Option(min=1, help="Clips shown per feature.")] = 5,
    score: Annotated[str, typer.Option(help="tfidf (published), difference or mean.")] = "tfidf",
    activations: Annotated[str, typer.Option(help="dense (before TopK, published) or topk.")] = "dense",
    seconds: Annotated[float | None, typer.Option(help="Length of a clip.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.")] = None,
    out: Annotated[Path, typer.Option(help="The page.")] = Path("features.html"),
) -> None:
    """Write a page of the features that stand for concepts, with the clips they are most active in."""
    from tada_core import Settings
    from tada_sae import prompts
    from tada_sae import source as saved
    from tada_sae.features import Kind, Score
    from tada_sae.folder import layers_in
    from tada_sae.report import Choice, report

    kind: Any = _one_of("--score", score, get_args(Score))
    before: Any = _one_of("--activations", activations, get_args(Kind))
    names = concept.split(",") if concept else prompts.CONCEPTS
    concepts = [tada.get_concept(name) for name in names]
    further = prompts.captions(captions) if captions is not None else ()
    wanted = layer_list(layers) or layers_in(folder)
    # Made first: a folder that cannot be written to should cost no clips.
    out.parent.mkdir(parents=True, exist_ok=True)
    model = tada.load_model(on, source, **options(load or [], "--load"))
    chosen = [model.layer(layer) for layer in wanted]
    saved.check(folder, model, chosen)
    choice = Choice(top_features, clips, top_clips, kind, before, Settings(seconds, steps))
    with bar(f"clips on {on}") as progress:
        page = report(model, saved.read(folder, chosen), concepts, further, choice, progress)
    out.write_text(page, encoding="utf-8")
    print(out)


def _one_of(flag: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise SpecError(f"{flag} takes {', '.join(known)}; not '{value}'")
    return value
