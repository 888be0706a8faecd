"""What a plugin hands to the registry: light entries, and the marks of a hook."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal, get_args

from attrs import field, frozen, validators

from tada_core.errors import MissingExtraError, TadaError

Kind = Literal["model", "method", "metric", "concept", "suite", "command"]
KINDS: tuple[str, ...] = get_args(Kind)
FIRST_PARTY = "tada-core"


@frozen
class Entry:
    """One thing a plugin brings, described without importing it.

    Attributes:
        kind: model, method, metric, concept, suite or command.
        name: what users write.
        target: "module:attribute", imported at first use.
        summary: one line.
        extra: the optional dependency set that installs `requires`, or "".
        requires: importable module names the target needs.
        licence: SPDX name of the weights or code it brings, or "".
    """

    kind: Kind = field(validator=validators.in_(KINDS))
    name: str = field(validator=validators.matches_re(r"[a-z0-9][a-z0-9._-]*"))
    target: str = field(validator=validators.matches_re(r"[\w.]+:[\w.]+"))
    summary: str = ""
    extra: str = ""
    requires: tuple[str, ...] = ()
    licence: str = ""

    @property
    def installed(self) -> bool:
        """Whether every required module can be found."""
        return not self.missing()

    def missing(self) -> tuple[str, ...]:
        """Required modules that cannot be found."""
        return tuple(name for name in self.requires if not _found(name))

    def lack(self, distribution: str = FIRST_PARTY) -> str | None:
        """What is not installed and the command that installs it, or None.

        Args:
            distribution: the installable name whose optional dependencies `extra` belongs to.
        """
        if not (missing := self.missing()):
            return None
        wanted = f'"{distribution}[{self.extra}]"' if self.extra else " ".join(missing)
        return f"{self.kind} '{self.name}' needs {', '.join(missing)}: pip install {wanted}"

    def load(self, distribution: str = FIRST_PARTY) -> Any:
        """Import and return the target.

        Raises:
            MissingExtraError: required modules are missing; names the command that installs them.
            TadaError: the target cannot be imported, whatever the reason.
        """
        if lack := self.lack(distribution):
            raise MissingExtraError(lack)
        module, _, attribute = self.target.partition(":")
        try:
            value: Any = import_module(module)
            for part in attribute.split("."):
                value = getattr(value, part)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise TadaError(f"{self.kind} '{self.name}' cannot be loaded from {self.target}: {reason}") from error
        return value


def _found(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
