"""The hooks a plugin may implement: one per kind, each returns entries. This is the whole plugin interface.

    from tada_core import Entry, hookimpl

    @hookimpl
    def tada_methods() -> list[Entry]:
        return [Entry("method", "loud", "my_package.loud:Loud", "Turns the last layer up.")]

A distribution names the module in its entry points, group "tada". No hook takes an argument, and none may import
anything heavy: the target of an entry is imported at its first use.
"""

from __future__ import annotations

import pluggy

from tada_core.entry import Entry

PROJECT = "tada"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def tada_models() -> list[Entry]:  # type: ignore[empty-body]
    """Model adapters; each target is a `tada_core.ModelAdapter` class."""


@hookspec
def tada_methods() -> list[Entry]:  # type: ignore[empty-body]
    """Steering methods; each target is a `tada_core.SteeringMethod` class."""


@hookspec
def tada_metrics() -> list[Entry]:  # type: ignore[empty-body]
    """Metrics; each target is a `tada_core.Metric` class."""


@hookspec
def tada_concepts() -> list[Entry]:  # type: ignore[empty-body]
    """Concepts; each target is a `tada_core.Concept` value."""


@hookspec
def tada_suites() -> list[Entry]:  # type: ignore[empty-body]
    """Benchmark suites; each target is a `tada_bench.Suite` value."""


@hookspec
def tada_commands() -> list[Entry]:  # type: ignore[empty-body]
    """Sub-commands of `tada`; each target is a function that typer can turn into a command."""
