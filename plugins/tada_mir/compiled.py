"""librosa's loops, compiled by one process at a time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from importlib.util import find_spec
from pathlib import Path
from tempfile import gettempdir
from typing import Final, TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Found = TypeVar("Found")

NOISE: Final = np.random.default_rng(0).uniform(-0.1, 0.1, 22050).astype(np.float32)
"""A sound in which every analysis finds something, so that all of its loops are compiled."""


def compiled(analysis: Callable[[Samples], Found]) -> Callable[[Samples], Found]:
    """`analysis` of samples; at its first call in a process, of NOISE before, while no other process does so.

    librosa's loops are compiled at their first call and kept on the disk, without a lock: of processes that do it at
    the same time some load a broken entry and die of it (SIGSEGV).
    """

    @cache
    def load() -> None:
        from filelock import FileLock

        with FileLock(lock()):
            analysis(NOISE)

    @wraps(analysis)
    def ready(samples: Samples) -> Found:
        load()
        return analysis(samples)

    return ready


def lock() -> Path:
    """The file that is locked: one for each installation of librosa and each user's folder."""
    found = find_spec("librosa")
    place = f"{found.origin if found else ''}{Path.home()}"
    return Path(gettempdir()) / f"tada-mir-{crc32(place.encode()):08x}.lock"
