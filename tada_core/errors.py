"""Errors a user meets: each names the thing, its valid neighbours and the command that mends it."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TadaError(Exception):
    """Base of every error raised on purpose; the command prints it without a traceback."""


class UnknownNameError(TadaError):
    """A name that nothing is registered under."""


class SpecError(TadaError):
    """A declarative value (site, intervention, generation, suite) that cannot run as written."""


class MissingExtraError(TadaError):
    """A plugin whose optional packages are not installed."""


class CheckpointError(TadaError):
    """A model folder that is incomplete or of another kind."""


class ArtifactError(TadaError):
    """A fitted artefact that is damaged, or belongs to another model or width."""


class DoseError(TadaError):
    """A calibrated dose that was asked for but never reached in calibration."""


class EngineError(TadaError):
    """A run whose interventions did not take place as planned."""


class StoreError(TadaError):
    """A result store that cannot be read or written."""


def nearest(name: str, known: Iterable[str], limit: int = 3) -> list[str]:
    """The names closest in spelling to `name`, best first; all of them when there are at most `limit`."""
    names = sorted(known)
    return get_close_matches(name, names, n=limit, cutoff=0.4) or names[: 2 * limit]


def unknown(kind: str, name: object, known: Iterable[str], remedy: str = "") -> UnknownNameError:
    """An error for a name that does not exist, with its nearest neighbours.

    Args:
        kind: what was looked up, for example "metric".
        name: what the user wrote.
        known: every valid name.
        remedy: a command or hint that lists or mends it.
    """
    near = ", ".join(nearest(str(name), known)) or "none is registered"
    tail = f" ({remedy})" if remedy else ""
    return UnknownNameError(f"unknown {kind} '{name}'; nearest: {near}{tail}")
