"""What every metric must do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from tada_core.audio import Audio
from tada_core.concept import Concept
from tada_core.metric import Metric

KINDS = ("alignment", "preservation", "quality")


def check_metric(metric: Metric, concept: Concept | None = None, clips: Sequence[Audio] | None = None) -> None:
    """Check the shape, type and repeatability of a metric's scores.

    Args:
        metric: the metric, its options set.
        concept: what an alignment metric measures.
        clips: at least two different clips of one length; tones and noise of two seconds when none are given.

    Raises:
        AssertionError: a rule is broken.
    """
    assert metric.name and metric.unit, "a metric needs a name and a unit"
    assert metric.kind in KINDS, f"kind '{metric.kind}' is none of {', '.join(KINDS)}"
    assert metric.direction in (-1, 1), f"direction is {metric.direction}, not +1 or -1"
    assert metric.kind != "alignment" or concept is not None, "pass the concept that this alignment metric measures"
    clips = list(clips or examples())
    distance = metric.kind == "preservation"
    against: Any = clips[::-1] if distance else concept
    scores = _score(metric, clips, against)
    assert np.array_equal(scores, _score(metric, clips, against)), "the same clips get other scores"
    each = [[reference] for reference in against] if distance else [concept] * len(clips)
    alone = [_score(metric, [clip], one)[0] for clip, one in zip(clips, each, strict=True)]
    assert np.allclose(scores, alone), "a clip's score depends on the clips beside it"
    if distance:
        assert np.allclose(_score(metric, clips, clips), 0.0), "a clip is not at distance 0 from itself"
        assert scores[0] > 0, "two different clips are at distance 0"


def examples() -> list[Audio]:
    """A low tone, a high tone and noise, two seconds each at 16 kHz."""
    time = torch.arange(32000) / 16000
    noise = torch.randn(32000, generator=torch.Generator().manual_seed(0))
    waves = [torch.sin(2 * torch.pi * 220 * time), torch.sin(2 * torch.pi * 1760 * time), noise / noise.abs().max()]
    return [Audio(0.5 * wave[None], 16000) for wave in waves]


def _score(metric: Metric, clips: Sequence[Audio], against: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    scores = metric.score(clips, against)
    assert isinstance(scores, np.ndarray), f"score returned {type(scores).__name__}, not a float64 array"
    assert scores.dtype == np.float64, f"score returned {scores.dtype}, not a float64 array"
    assert scores.shape == (len(clips),), f"{len(clips)} clips got scores of shape {list(scores.shape)}"
    assert np.isfinite(scores).all(), "a score is not a finite number"
    return scores
