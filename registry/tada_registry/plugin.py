"""An installed plugin, before anything of it is imported."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from attrs import frozen

from tada_core.entry import FIRST_PARTY

GROUP = "tada"


@frozen
class Plugin:
    """One entry point of group "tada".

    Attributes:
        name: the entry point's name; what TADA_ALLOW and TADA_BLOCK speak of.
        distribution, version: the installed distribution it belongs to.
        point: the entry point, not loaded.
    """

    name: str
    distribution: str
    version: str
    point: EntryPoint

    def load(self) -> Any:
        """Import the plugin; raises whatever its import raises."""
        return self.point.load()


def installed_plugins() -> tuple[Plugin, ...]:
    """Every installed plugin, first-party ones first, then by distribution and name."""
    found = (_plugin(point) for point in entry_points(group=GROUP))
    return tuple(sorted(found, key=lambda p: (p.distribution != FIRST_PARTY, p.distribution, p.name)))


def _plugin(point: EntryPoint) -> Plugin:
    owner = point.dist
    return Plugin(point.name, owner.name if owner else "", owner.version if owner else "", point)
