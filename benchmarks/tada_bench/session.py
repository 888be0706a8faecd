"""What all stages of one run share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field, frozen

from tada_bench.identity import VERSION, Fingerprint
from tada_bench.store.store import Store
from tada_bench.suite import Suite
from tada_bench.tools import Tools
from tada_core.concept import Concept
from tada_core.errors import StoreError
from tada_core.serial import canonical

if TYPE_CHECKING:
    from tada_core.adapter import ModelAdapter

Progress = Callable[[int, int, str], None]
"""Called with clips done, clips in all, and what is going on."""


@define
class Ticker:
    """Counts clips and tells whoever watches.

    Attributes:
        total: clips in all.
        tell: the watcher, or None.
        done: clips so far.
    """

    total: int
    tell: Progress | None = None
    done: int = 0

    def at(self, done: int, label: str) -> None:
        """Say that `done` clips of the present piece of work are there."""
        if self.tell is not None:
            self.tell(min(self.done + done, self.total), self.total, label)

    def finish(self, clips: int, label: str) -> None:
        """A piece of work of `clips` clips is there."""
        self.done += clips
        self.at(0, label)


@frozen(eq=False)
class Session:
    """A suite at work on a model.

    Attributes:
        suite: what is asked.
        model: loaded.
        fingerprint: of the model.
        concepts: by name, with the lyrics of their clips on this model.
        store: where results go.
        tools: names and engine.
        ticker: progress.
    """

    suite: Suite
    model: ModelAdapter
    fingerprint: Fingerprint
    concepts: Mapping[str, Concept]
    store: Store
    tools: Tools
    ticker: Ticker = field(repr=False)

    def key(self, *what: Any) -> str:
        """Names something made from this model and `what` (plain JSON data)."""
        text = canonical([VERSION, self.fingerprint.model, self.fingerprint.weights, *what])
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    @contextmanager
    def kept(self, key: str, label: str) -> Iterator[None]:
        """A failure is kept, and the others go on; a store that cannot be written to stops everything."""
        try:
            yield
        except StoreError:
            raise
        except Exception as error:
            self.store.fail(key, label, error)

    def trained(self, concept: str) -> Concept:
        """A concept with only the fitting prompts the suite asks for."""
        full = self.concepts[concept]
        return evolve(full, prompts=full.prompts[: self.suite.fitting.prompts])


def sides(concept: Concept) -> list[str]:
    """What of a concept its prompts are made from, as JSON data."""
    lyrics = [concept.lyrics] if concept.lyrics else []
    return [concept.name, concept.positive, concept.negative, concept.neutral, *lyrics]


def target(concept: Concept) -> list[Any]:
    """What of a concept a metric measures against, as JSON data."""
    return [concept.name, concept.probe, dict(sorted(concept.queries.items()))]
