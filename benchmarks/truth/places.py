"""Places in the documents that a command fills: from `<!-- name -->` to `<!-- end -->`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


def fill(document: Path, texts: Mapping[str, str]) -> None:
    """Put each text into the place of its name.

    Raises:
        KeyError: the document has no such place, or several.
    """
    content = document.read_text(encoding="utf-8")
    for name, text in texts.items():
        body = f"<!-- {name} -->\n{text}\n<!-- end -->"
        content, count = re.subn(
            rf"<!-- {name} -->.*?<!-- end -->", lambda _, body=body: body, content, flags=re.DOTALL
        )
        if count != 1:
            raise KeyError(f"{document} has {count} places for '{name}'")
    document.write_text(content, encoding="utf-8")
