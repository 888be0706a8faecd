"""The project's own captions."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tada_core.captions import read_captions
from tada_core.errors import unknown

OWN: Final = {
    "music": "Descriptions of music, a sentence or two each.",
    "etude": "Short ones, in lower case and in the words that etude was trained on.",
}
"""Name -> what is in the project's own captions of that name. Written for this project."""


def own_captions(name: str = "music") -> list[str]:
    """The project's own captions.

    Raises:
        UnknownNameError: there are none of that name.
    """
    if name not in OWN:
        raise unknown("captions", name, OWN, "these are the project's own; a file's name has an ending, such as .csv")
    return read_captions(Path(__file__).with_name("texts") / f"{name}.txt")
