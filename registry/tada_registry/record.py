"""One line of the registry: an entry and its owner, or a plugin that brought trouble."""

from __future__ import annotations

from attrs import frozen

from tada_core.entry import Entry
from tada_registry.plugin import Plugin


@frozen
class Record:
    """An entry of a plugin, or a problem of the plugin as a whole.

    Attributes:
        plugin: who brought it.
        entry: what it brought; None for a problem of the whole plugin.
        problem: why it cannot be used, with the remedy; None when it can.
    """

    plugin: Plugin
    entry: Entry | None = None
    problem: str | None = None

    @property
    def kind(self) -> str:
        """The entry's kind, or "plugin"."""
        return self.entry.kind if self.entry else "plugin"

    @property
    def name(self) -> str:
        """The entry's name, or the plugin's."""
        return self.entry.name if self.entry else self.plugin.name

    def row(self) -> dict[str, str | bool | None]:
        """The line `tada plugins --json` prints, as JSON data."""
        entry = self.entry
        return {
            "kind": self.kind,
            "name": self.name,
            "summary": entry.summary if entry else "",
            "plugin": self.plugin.name,
            "distribution": self.plugin.distribution,
            "version": self.plugin.version,
            "extra": entry.extra if entry else "",
            "installed": entry.installed if entry else False,
            "licence": entry.licence if entry else "",
            "problem": self.problem,
        }
