"""What one plugin brings: its entries, and everything that is wrong with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from typing import Any

import pluggy

from tada_core import hookspecs
from tada_core.entry import KINDS, Entry
from tada_core.errors import nearest
from tada_registry.plugin import Plugin

HOOKS = {f"tada_{kind}s": kind for kind in KINDS}
# A plugin may fail in any way, even by leaving the interpreter; only Ctrl-C is the user's own.
_FAILURES = (Exception, SystemExit)


def collect(plugin: Plugin) -> tuple[list[Entry], list[str]]:
    """Import a plugin and call its hooks: its valid entries, and its problems in words.

    A plugin has a manager of its own, so that nothing it does reaches the others. What it prints goes to stderr,
    because stdout may be read by a program.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    with redirect_stdout(sys.stderr):
        try:
            module = plugin.load()
            manager.register(module, plugin.name)
        except _FAILURES as error:
            return [], [f"cannot be loaded from {plugin.point.value}: {_told(error)}"]
        return _called(manager, module)


def _called(manager: pluggy.PluginManager, module: Any) -> tuple[list[Entry], list[str]]:
    entries: list[Entry] = []
    problems = [*_unmarked(module), *_mistyped(manager, module)]
    callers = [caller for caller in manager.get_hookcallers(module) or [] if caller.has_spec()]
    if not callers and not problems:
        problems.append(f"implements no hook; mark functions named {', '.join(HOOKS)} with @tada_core.hookimpl")
    for caller in callers:
        try:
            results = caller()
        except _FAILURES as error:
            problems.append(f"hook {caller.name} failed: {_told(error)}")
            continue
        for result in results:
            for item in result if isinstance(result, list | tuple) else [result]:
                if complaint := _complaint(caller.name, item):
                    problems.append(complaint)
                else:
                    entries.append(item)
    return entries, problems


def _unmarked(module: Any) -> Iterator[str]:
    """A hook's name on a plain function: pluggy would pass over it without a word."""
    for name in HOOKS:
        function = getattr(module, name, None)
        if callable(function) and not hasattr(function, f"{hookspecs.PROJECT}_impl"):
            yield f"{name} is not marked; write @tada_core.hookimpl above it"


def _mistyped(manager: pluggy.PluginManager, module: Any) -> Iterator[str]:
    for caller in manager.get_hookcallers(module) or []:
        if not caller.has_spec() and not all(impl.optionalhook for impl in caller.get_hookimpls()):
            yield f"unknown hook '{caller.name}'; nearest: {', '.join(nearest(caller.name, HOOKS))}"


def _complaint(hook: str, item: object) -> str | None:
    if not isinstance(item, Entry):
        return f"hook {hook} returned {type(item).__name__} '{item}'; it must return a list of tada_core.Entry"
    if item.kind != HOOKS[hook]:
        return f"hook {hook} returned the {item.kind} '{item.name}'; return it from tada_{item.kind}s"
    return None


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
