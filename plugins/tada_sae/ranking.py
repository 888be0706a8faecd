"""Which features stand for which side of a concept, and the clips and steps at which they are active: plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from tada_sae.activity import LayerActivity
from tada_sae.features import Score, score
from tada_sae.listening import Group


@frozen
class Found:
    """A feature on a page.

    Attributes:
        feature: its index.
        score: how much it stands for the side.
        own, other: mean activation on this side, and on the other.
        fires: share of all frames at which TopK keeps it.
        course: mean activation along the trajectory, of this side and of the other.
        clips: places of the clips it is most active in, of all groups.
        active: its mean activation in each of them.
    """

    feature: int
    score: float
    own: float
    other: float
    fires: float
    course: tuple[tuple[float, ...], tuple[float, ...]]
    clips: tuple[int, ...]
    active: tuple[float, ...]


def rank(activity: LayerActivity, own: int, other: int, kind: Score, features: int, clips: int) -> tuple[Found, ...]:
    """The features of the largest score above zero of group `own` against group `other`, the largest first.

    The score is taken of means over steps (published: a score per step; the method `sae` does that).
    """
    scores = score(activity.means[None, [own, other]], kind)[0]
    order = scores.sort(descending=True, stable=True).indices[:features]
    return tuple(
        _found(activity, index, float(scores[index]), own, other, clips)
        for index in order.tolist()
        if scores[index] > 0
    )


def _found(activity: LayerActivity, index: int, value: float, own: int, other: int, clips: int) -> Found:
    top = activity.clips[:, index].sort(descending=True, stable=True)
    course = activity.course[:, :, index]
    return Found(
        feature=index,
        score=value,
        own=float(activity.means[own, index]),
        other=float(activity.means[other, index]),
        fires=float(activity.fires[index]),
        course=(tuple(course[own].tolist()), tuple(course[other].tolist())),
        clips=tuple(top.indices[:clips].tolist()),
        active=tuple(top.values[:clips].tolist()),
    )


def lists(
    activities: Mapping[int, LayerActivity], groups: Sequence[Group], kind: Score, features: int, clips: int
) -> list[dict[str, Any]]:
    """One list per layer and side of a concept: concept, side, layer, features."""
    places = {(group.concept, group.side): place for place, group in enumerate(groups) if group.concept}
    opposite = {"positive": "negative", "negative": "positive"}
    return [
        {
            "concept": concept,
            "side": side,
            "layer": layer,
            "features": rank(activity, place, places[concept, opposite[side]], kind, features, clips),
        }
        for (concept, side), place in places.items()
        for layer, activity in activities.items()
    ]
