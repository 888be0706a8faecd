"""The `tada` command: lists every plugin's sub-commands without importing them, runs one, prints errors in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from tada_bench import tada_commands
from tada_core.entry import FIRST_PARTY, Entry
from tada_core.errors import TadaError, unknown
from tada_registry import entries
from tada_registry.registry import registry

DEBUG = "TADA_DEBUG"


def commands() -> dict[str, Entry]:
    """Every sub-command by name; the program's own are always there, whatever plugins the user lets in."""
    own = {entry.name: entry for entry in tada_commands()}
    return own | {entry.name: entry for entry in entries("command") if entry.name not in own}


class Commands(TyperGroup):
    """A group that knows its commands as entries and imports one when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of the help page."""
        return list(commands())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command behind a name.

        Raises:
            UnknownNameError: there is none.
        """
        known = commands()
        if cmd_name not in known:
            raise unknown("command", cmd_name, known, "tada --help")
        own = known[cmd_name] in tada_commands()
        function = known[cmd_name].load() if own else registry().load("command", cmd_name)
        return _command(cmd_name, function)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Names and summaries for the help page."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in commands().values()])


def _command(name: str, function: Callable[..., Any]) -> Any:
    made = typer.Typer(rich_markup_mode=None, add_completion=False)
    made.command(name)(function)
    return typer.main.get_command(made)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tada {version(FIRST_PARTY)}")
        raise typer.Exit


app = typer.Typer(cls=Commands, rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
def tada(
    _: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Find which layers of a text-to-music model carry a musical idea, and turn that idea up or down."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a TadaError or a failed file operation becomes one line and exit status 2."""
    try:
        typer.main.get_command(app)(args=arguments, prog_name="tada")
    except (TadaError, OSError) as error:
        if os.environ.get(DEBUG):
            raise
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
