"""Which plugins the user lets in, by name, before anything is imported."""

from __future__ import annotations

import os
from collections.abc import Mapping

from attrs import frozen

ALLOW, BLOCK = "TADA_ALLOW", "TADA_BLOCK"


@frozen
class Gate:
    """Allow and block lists of plugin names.

    Attributes:
        allow: only these; empty means every plugin.
        block: none of these, even when allowed.
    """

    allow: frozenset[str] = frozenset()
    block: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Gate:
        """Read TADA_ALLOW and TADA_BLOCK, names separated by commas."""
        return cls(_names(environment.get(ALLOW, "")), _names(environment.get(BLOCK, "")))

    def refusal(self, name: str) -> str | None:
        """Why the plugin `name` stays out, or None when it may come in."""
        if name in self.block:
            return f"blocked by {BLOCK}; take '{name}' out of it to use this plugin"
        if self.allow and name not in self.allow:
            return f"blocked: not named in {ALLOW}; add '{name}' to it to use this plugin"
        return None


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
