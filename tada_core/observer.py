"""What reads activations while clips are made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tada_core.sites import Site

if TYPE_CHECKING:
    from torch import Tensor

    from tada_core.adapter import Call


class Observer:
    """Reads values while clips are made, before any intervention at the same site.

    A batch that runs out of memory is made again in halves: `begin` says that what was seen since the last `finish`
    does not count.

    Attributes:
        sites: where it reads.
        branch: which pass of guidance.
    """

    sites: tuple[Site, ...] = ()
    branch: str = "cond"

    def begin(self, rows: Sequence[int]) -> None:
        """A batch of these rows (indices into the run) is about to be made."""

    def see(self, site: Site, call: Call, rows: Sequence[int], values: Tensor) -> None:
        """Called at every site and step with the rows of the batch and their values [rows, tokens, width]."""

    def finish(self, rows: Sequence[int]) -> None:
        """The batch of these rows is made."""
