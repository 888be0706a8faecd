"""The page of features: one HTML file with its clips inside, that opens from a disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import chain
from typing import Any

from attrs import asdict, field, frozen

from tada_core import Concept, ModelAdapter, Settings, SparseAutoencoder, run
from tada_core.progress import Progress
from tada_sae.activity import Activity
from tada_sae.features import Kind, Score
from tada_sae.listening import Group, listening
from tada_sae.ranking import lists
from tada_sae.sound import data_uri


@frozen
class Choice:
    """What a page shows.

    Attributes:
        features: per layer and side of a concept.
        clips: per side of a concept that are made.
        shown: clips per feature.
        score, activations: see `features.Score` and `features.Kind`; the published ones.
        settings: of the clips.
    """

    features: int = 20
    clips: int = 8
    shown: int = 5
    score: Score = "tfidf"
    activations: Kind = "dense"
    settings: Settings = field(factory=Settings)


def report(
    model: ModelAdapter,
    autoencoders: Mapping[int, SparseAutoencoder],
    concepts: Sequence[Concept],
    captions: Sequence[str] = (),
    choice: Choice | None = None,
    progress: Progress | None = None,
) -> str:
    """Make clips once, and write which features are active in them as HTML.

    Args:
        model: the adapter.
        autoencoders: by layer.
        concepts: features are ranked by how much they stand for either side of these.
        captions: further prompts whose clips are listed where features are active in them.
        choice: how much of all that.
        progress: called with (clips done, clips in all).
    """
    own = choice or Choice()
    groups = listening(concepts, captions, own.clips, own.settings)
    rows = list(chain.from_iterable(group.rows for group in groups))
    of = [place for place, group in enumerate(groups) for _ in group.rows]
    activity = Activity(model, autoencoders, of, own.activations)
    made = run(model, rows, observer=activity, progress=progress)
    found = lists({layer: activity.of(layer) for layer in autoencoders}, groups, own.score, own.features, own.shown)
    shown = {place for one in found for feature in one["features"] for place in feature.clips}
    clips = [{"prompt": row.text, **_group(groups[place])} for row, place in zip(rows, of, strict=True)]
    sounds = {place: data_uri(made[place].audio) for place in sorted(shown)}
    return render(_data(model, autoencoders, concepts, own, found, clips), sounds)


def _group(group: Group) -> dict[str, str]:
    return {"concept": group.concept, "side": group.side}


def _data(
    model: ModelAdapter,
    autoencoders: Mapping[int, SparseAutoencoder],
    concepts: Sequence[Concept],
    choice: Choice,
    found: list[dict[str, Any]],
    clips: list[dict[str, Any]],
) -> dict[str, Any]:
    """What the template reads."""
    return {
        "model": {"name": model.name, "licence": model.licence},
        "settings": asdict(model.resolve(choice.settings)),
        "choice": asdict(choice),
        "concepts": [{"name": one.name, "positive": one.positive, "negative": one.negative} for one in concepts],
        "layers": [
            {"layer": layer, "path": model.layer(layer).path, "features": sae.decoder.shape[0], "k": sae.k}
            for layer, sae in autoencoders.items()
        ],
        "lists": found,
        "clips": clips,
    }


def render(data: Mapping[str, Any], sounds: Mapping[int, str]) -> str:
    """The HTML, with style, script and clips inside, because a page opened from a disk may not load them."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("tada_sae", "assets"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    assets = files("tada_sae") / "assets"
    return environment.get_template("report.html").render(
        data=data,
        bars=bars,
        sounds=json.dumps(sounds),
        style=(assets / "report.css").read_text(encoding="utf-8"),
        script=(assets / "report.js").read_text(encoding="utf-8"),
    )


WIDTH, HALF = 180.0, 22.0
"""Of the plot of a feature's course, and of either half of it."""


def bars(course: tuple[tuple[float, ...], tuple[float, ...]]) -> list[dict[str, Any]]:
    """Bars of a course in a box WIDTH by 2 HALF: this side's upwards from the middle, the other's downwards."""
    top, count = max(map(max, course)) or 1.0, len(course[0])
    width = WIDTH / count
    return [
        {
            "kind": kind,
            "x": round(place * width + 0.1 * width, 2),
            "width": round(0.8 * width, 2),
            "y": round(HALF - HALF * value / top, 2) if kind == "own" else HALF,
            "height": round(HALF * value / top, 2),
        }
        for kind, side in zip(("own", "other"), course, strict=True)
        for place, value in enumerate(side)
    ]
