"""`tada train-sae`: sparse autoencoders of a model's layers, all from one stream of clips."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from attrs import evolve, fields

import tada_registry as tada
from tada_core.errors import SpecError, unknown
from tada_registry.terminal.model import Load, On, Source
from tada_registry.terminal.numbers import layers as layer_list
from tada_registry.terminal.numbers import numbers
from tada_registry.terminal.options import options
from tada_registry.terminal.screen import AsJson, table

if TYPE_CHECKING:
    from tada_core import ModelAdapter
    from tada_sae.settings import Spec, TrainerSettings, TrainSettings
    from tada_sae.sweep import Sweep
    from tada_sae.trainer import Trainer


def train_sae(
    out: Annotated[Path, typer.Option(help="Folder of the autoencoders; the same command goes on in it.")],
    on: On = "etude",
    source: Source = None,
    load: Load = None,
    layers: Annotated[str, typer.Option(help="Layers, such as 2,4, or all.")] = "all",
    expansion: Annotated[str, typer.Option(help="Features per feature of the layer, such as 2,4.")] = "2",
    k: Annotated[str, typer.Option("--k", help="Features kept per token, such as 16,32.")] = "32",
    captions: Annotated[Path | None, typer.Option(help="Prompts: .txt (a line each), .csv, .json or .jsonl.")] = None,
    column: Annotated[str | None, typer.Option(help="Column of --captions; default caption, text or prompt.")] = None,
    concept: Annotated[
        str | None, typer.Option(help="Or of concepts, such as tempo,drums; default etude's five.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Learning rate; default 3e-5.")] = None,
    batch: Annotated[int | None, typer.Option(min=2, help="Tokens per step; default 4096.")] = None,
    selection: Annotated[str | None, typer.Option(help="batch (BatchTopK, the default) or token (TopK).")] = None,
    given: Annotated[list[str] | None, typer.Option("--set", help="Other setting, such as warmup=100.")] = None,
    seeds: Annotated[str, typer.Option(help="A clip per prompt and seed.")] = "0,1,2,3,4,5,6,7,8,9",
    every: Annotated[int, typer.Option(min=1, help="Read every n-th step.")] = 6,
    seconds: Annotated[float | None, typer.Option(help="Length of a clip.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.")] = None,
    buffer: Annotated[int | None, typer.Option(min=2, help="Tokens held for shuffling; default 65536 at most.")] = None,
    save_every: Annotated[int, typer.Option(min=1, help="Batches of clips between two checkpoints.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Train sparse autoencoders for every layer, expansion and k, or go on with a training that was interrupted."""
    from tada_core import Settings
    from tada_sae.live import live
    from tada_sae.settings import Spec, StreamSettings, TrainSettings
    from tada_sae.train import train

    prompts, wanted = _prompts(captions, column, concept), layer_list(layers)
    sizes = [(m, kept) for m in numbers(expansion, "--expansion") for kept in numbers(k, "--k")]
    trainer = _trainer(given or [], rate=rate, batch=batch, selection=selection)
    read = StreamSettings(every=every, seeds=numbers(seeds, "--seeds"), settings=Settings(seconds, steps))
    settings = TrainSettings(trainer, read, save_every)
    # Made first: a folder that cannot be written to should cost no training.
    out.mkdir(parents=True, exist_ok=True)
    model = tada.load_model(on, source, **options(load or [], "--load"))
    specs = list(dict.fromkeys(Spec(layer, *size) for layer in model.pick(wanted) for size in sizes))
    settings = _priced(model, prompts, specs, evolve(settings, trainer=_placed(trainer, model)), buffer)
    with live() as shown:
        trained = train(model, prompts, specs, settings, out, shown.progress, shown.watch)
    _show(_saved(out, model, trained, settings, len(prompts)), out, as_json)


def _prompts(captions: Path | None, column: str | None, concepts: str | None) -> tuple[str, ...]:
    """Of a file, of concepts, or of those of `prompts.CONCEPTS`."""
    from tada_sae import prompts

    if captions is not None:
        if concepts is not None:
            raise SpecError("both --captions and --concept were given; leave one of them out")
        return prompts.captions(captions, column)
    names = concepts.split(",") if concepts else prompts.CONCEPTS
    return prompts.of_concepts(tada.get_concept(name) for name in names)


def _trainer(given: Sequence[str], **said: Any) -> TrainerSettings:
    """The recipe with what the command line changes; an option of its own (`said`) that is not None wins.

    Raises:
        SpecError, UnknownNameError: no such setting, or a value that it cannot have.
    """
    from tada_sae.settings import TrainerSettings

    changed = options(given) | {name: value for name, value in said.items() if value is not None}
    known = [one.name for one in fields(TrainerSettings)]
    for name in changed:
        if name not in known:
            raise unknown("setting", name, known, "docs/sae.md")
    try:
        return TrainerSettings(**changed)
    except (TypeError, ValueError) as error:
        raise SpecError(f"a setting of the training has no such value: {error.args[0]}") from error


def _placed(settings: TrainerSettings, model: Any) -> TrainerSettings:
    """Where the model is, unless the command line says otherwise."""
    from tada_sae.settings import TrainerSettings

    if settings.device != TrainerSettings().device:
        return settings
    return evolve(settings, device=str(next(model.denoiser.parameters()).device))


def _priced(
    model: ModelAdapter, prompts: Sequence[str], specs: Sequence[Spec], settings: TrainSettings, buffer: int | None
) -> TrainSettings:
    """The settings with a buffer that suits the training, whose cost is told on stderr.

    Raises:
        SpecError: it would not make a single step.
    """
    from tada_sae.cost import cost

    price = cost(model, prompts, specs, settings)
    price.check()
    settings = evolve(settings, stream=evolve(settings.stream, buffer=buffer or price.buffer))
    print(f"on {model.name}: {cost(model, prompts, specs, settings)}", file=sys.stderr, flush=True)
    return settings


def _saved(
    out: Path, model: ModelAdapter, trained: Mapping[Spec, Trainer], settings: TrainSettings, prompts: int
) -> Sweep:
    """Write the autoencoders below `out`; how good they are."""
    from tada_sae.folder import save
    from tada_sae.sweep import Sweep

    folders = save(out, model, trained, settings, prompts)
    return Sweep.of(model, trained, {spec: path.relative_to(out) for spec, path in folders.items()})


def _show(sweep: Sweep, out: Path, as_json: bool) -> None:
    """sweep.json and sweep.png, and the table on stdout."""
    (out / "sweep.json").write_text(sweep.to_json() + "\n", encoding="utf-8")
    sweep.plot(out / "sweep.png")
    if as_json:
        print(sweep.to_json())
        return
    table(sweep.table(), f"autoencoders of {sweep.model} in {out}")
    if sweep.note:
        print(sweep.note)
