"""`tada generate`: clips from a prompt or a spec, steered or not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from attrs import evolve

import tada_registry as tada
from tada_core.artifact import Artifact
from tada_core.engine.run import run
from tada_core.errors import SpecError
from tada_core.generation import Generation, Row, flatten
from tada_core.interventions import Intervention
from tada_core.progress import bar
from tada_core.serial import load_spec
from tada_registry.terminal.model import Load, On, Source
from tada_registry.terminal.numbers import numbers
from tada_registry.terminal.options import options
from tada_registry.terminal.screen import AsJson


def generate(
    prompt: Annotated[str | None, typer.Argument(help="What to play; a spec may say it instead.")] = None,
    on: On = "etude",
    source: Source = None,
    load: Load = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds, one clip each; default 0.")] = None,
    steer: Annotated[list[str] | None, typer.Option("--with", help="Artefact to steer with; may be repeated.")] = None,
    strength: Annotated[list[float] | None, typer.Option(help="One per artefact; default 1.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of the strengths: norm, raw or dose.")] = None,
    spec: Annotated[Path | None, typer.Option(help="JSON of interventions, a Generation or a Row.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of a clip.")] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps.")] = None,
    guidance: Annotated[float | None, typer.Option(help="Classifier-free guidance scale.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the clips.")] = Path("tada-clips"),
    as_json: AsJson = False,
) -> None:
    """Generate clips as FLAC files and print their paths."""
    said = {"prompt": prompt, "seeds": seeds, "seconds": seconds, "steps": steps, "guidance": guidance}
    rows = _rows(spec, {name: value for name, value in said.items() if value is not None})
    artifacts = [tada.load_artifact(folder) for folder in steer or []]
    steering = _steering(artifacts, strength, unit)
    # Made first: a folder that cannot be written to should cost no generating.
    out.mkdir(parents=True, exist_ok=True)
    model = tada.load_model(on, source, **options(load or [], "--load"))
    for artifact in artifacts:
        artifact.check(model)
    with bar(f"generating on {on}") as progress:
        wanted = [evolve(row, interventions=(*row.interventions, *steering)) for row in rows]
        clips = run(model, wanted, progress=progress)
    made = [
        {"path": str(clip.save(out / f"seed-{clip.row.seed}.flac")), "prompt": clip.row.text, "seed": clip.row.seed}
        for clip in clips
    ]
    print(json.dumps(made, indent=2) if as_json else "\n".join(str(one["path"]) for one in made))


def _rows(spec: Path | None, said: dict[str, Any]) -> tuple[Row, ...]:
    """The rows that the command line and the spec ask for, without the artefacts' steering."""
    value = None if spec is None else load_spec(spec)
    if isinstance(value, Generation | Row):
        if said:
            raise SpecError(f"{spec} already says what to play; leave out {', '.join(said)}")
        return value.rows() if isinstance(value, Generation) else (value,)
    if value is not None and type(value) not in (tuple, *get_args(Intervention)):
        raise SpecError(f"{spec} holds a {type(value).__name__}; --spec takes interventions, a Generation or a Row")
    if "prompt" not in said:
        raise SpecError("nothing to play; give a prompt, or --spec with a Generation or a Row")
    noise = numbers(said.pop("seeds", "0"), "--seeds")
    generation = Generation(seeds=noise, **said)
    return generation.rows() if value is None else generation.rows(value)


def _steering(
    artifacts: Sequence[Artifact], strengths: Sequence[float] | None, unit: str | None
) -> tuple[Intervention, ...]:
    amounts = strengths or [1.0] * len(artifacts)
    if len(amounts) != len(artifacts):
        raise SpecError(f"{len(artifacts)} artefacts but {len(amounts)} strengths; give one --strength per --with")
    return flatten(artifact.at(amount, unit) for artifact, amount in zip(artifacts, amounts, strict=True))
