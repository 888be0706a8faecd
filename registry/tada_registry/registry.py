"""The registry: every installed plugin's entries, who owns which name, and what is wrong with whom."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from tada_core.entry import Entry
from tada_core.errors import UnknownNameError, unknown
from tada_registry.collect import collect
from tada_registry.gate import Gate
from tada_registry.plugin import Plugin, installed_plugins
from tada_registry.record import Record

REMEDY = "tada plugins"


class Registry:
    """Entries of all plugins, by kind and name; the first plugin that brings a name keeps it.

    Attributes:
        records: one per entry and one per problem of a whole plugin, in order of discovery.
    """

    def __init__(self, plugins: Iterable[Plugin], gate: Gate) -> None:
        """Import the plugins that the gate lets in, one by one, in the order given."""
        self.records: list[Record] = []
        self._owned: dict[tuple[str, str], Record] = {}
        self._plugins: dict[str, Plugin] = {}
        for plugin in plugins:
            self._admit(plugin, gate)

    def _admit(self, plugin: Plugin, gate: Gate) -> None:
        if refusal := gate.refusal(plugin.name):
            self.records.append(Record(plugin, problem=refusal))
            return
        if (owner := self._plugins.setdefault(plugin.name, plugin)) is not plugin:
            reason = f"the plugin name '{plugin.name}' belongs to {owner.distribution}; rename it in its entry points"
            self.records.append(Record(plugin, problem=f"{reason} ({plugin.distribution})"))
            return
        entries, problems = collect(plugin)
        self.records.extend(Record(plugin, problem=problem) for problem in problems)
        for entry in entries:
            self._own(plugin, entry)

    def _own(self, plugin: Plugin, entry: Entry) -> None:
        key = entry.kind, entry.name
        if owner := self._owned.get(key):
            taken = f"{entry.kind} '{entry.name}' belongs to {_owner(owner.plugin)}, which comes before"
            problem = f"{taken} {_owner(plugin)}; rename one, or leave one out with TADA_BLOCK"
            self.records.append(Record(plugin, entry, problem))
            return
        self._owned[key] = Record(plugin, entry, entry.lack(plugin.distribution))
        self.records.append(self._owned[key])

    def entries(self, kind: str | None = None) -> tuple[Entry, ...]:
        """Entries that own their name, of one kind or of all, in order of discovery."""
        owned = (record.entry for record in self._owned.values())
        return tuple(entry for entry in owned if entry is not None and kind in (None, entry.kind))

    def problems(self) -> tuple[Record, ...]:
        """Records that cannot be used, each with its reason."""
        return tuple(record for record in self.records if record.problem is not None)

    def record(self, kind: str, name: str) -> Record:
        """The record that owns a name.

        Raises:
            UnknownNameError: nothing of that kind has that name; says why when a plugin of that name is left out.
        """
        if (kind, name) not in self._owned:
            raise self._unknown(kind, name)
        return self._owned[kind, name]

    def load(self, kind: str, name: str) -> Any:
        """Import what a name stands for.

        Raises:
            UnknownNameError: nothing of that kind has that name.
            MissingExtraError: its optional packages are not installed.
            TadaError: its module cannot be imported.
        """
        record = self.record(kind, name)
        assert record.entry is not None
        return record.entry.load(record.plugin.distribution)

    def _unknown(self, kind: str, name: str) -> UnknownNameError:
        left_out = [f"plugin '{name}': {record.problem}" for record in self.problems() if record.plugin.name == name]
        return unknown(kind, name, (entry.name for entry in self.entries(kind)), "; ".join([*left_out, REMEDY]))


def _owner(plugin: Plugin) -> str:
    return f"plugin '{plugin.name}' of {plugin.distribution}"


@cache
def registry() -> Registry:
    """The registry of this process, discovered at first use."""
    return Registry(installed_plugins(), Gate.from_environment())
