"""Every metric of a suite tried on a moment of noise, so that weights that are missing are told before any clip."""

from __future__ import annotations

from collections.abc import Mapping

from tada_bench.suite import Suite
from tada_bench.tools import Tools
from tada_core.concept import Concept
from tada_core.errors import CheckpointError, MissingExtraError

RATE, SECONDS = 44100, 2


def rehearse(suite: Suite, concepts: Mapping[str, Concept], tools: Tools) -> None:
    """Score noise with every metric; what it makes of noise does not matter.

    Raises:
        CheckpointError, MissingExtraError: a metric cannot be loaded.
    """
    import torch

    from tada_core.audio import Audio

    noise = Audio(0.1 * torch.randn(2, SECONDS * RATE, generator=torch.Generator().manual_seed(0)), RATE)
    how = suite.localization
    wanted = {name: next(iter(concepts.values())) for name in suite.alignment}
    if how is not None and not how.known:
        wanted |= {how.reader(name): concept for name, concept in concepts.items()}
    against: list[tuple[str, Concept | list[Audio] | None]] = list(wanted.items())
    if suite.arms:
        against += [(suite.preservation, [noise]), *((name, None) for name in suite.quality)]
    for name, other in against:
        try:
            tools.get_metric(name).score([noise], other)
        except (CheckpointError, MissingExtraError):
            raise
        except Exception:
            # The run keeps other failures clip by clip.
            continue
