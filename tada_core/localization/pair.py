"""A pair of prompts that differ in one idea alone, and files of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from attrs import asdict, field, frozen

from tada_core.errors import SpecError


def _text(_: object, attribute: object, value: str) -> None:
    if not value.strip():
        raise SpecError("a pair needs two prompts, and one of them is empty")


@frozen
class Pair:
    """A prompt with an idea and its counterfactual, the same without it or with its opposite (TADA sect. 3).

    Attributes:
        positive: has the idea; the target of patching.
        negative: has it not; the source.

    Raises:
        SpecError: a prompt is empty, or both are the same.
    """

    positive: str = field(validator=_text)
    negative: str = field(validator=_text)

    def __attrs_post_init__(self) -> None:
        if self.positive == self.negative:
            raise SpecError(f"both prompts of a pair are '{self.positive}'; they must differ in the idea")


def write_pairs(pairs: Iterable[Pair], path: str | Path) -> Path:
    """Write pairs as a JSON list of {"positive", "negative"}.

    Raises:
        SpecError: there are no pairs, or the file is not called .json.
    """
    path, data = Path(path), [asdict(pair) for pair in pairs]
    if path.suffix != ".json":
        raise SpecError(f"pairs are written to a .json file, not to '{path}'")
    if not data:
        raise SpecError(f"there are no pairs to write to '{path}'; use other or more captions")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_pairs(path: str | Path) -> list[Pair]:
    """Read what `write_pairs` wrote, or what was written by hand in its form.

    Raises:
        SpecError: the file is missing, is no JSON, is no list, is empty, or an item is no pair.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError(f"cannot read pairs from '{path}': {error}") from error
    if not isinstance(data, list) or not data:
        raise SpecError(f'\'{path}\' is no list of pairs; write [{{"positive": "...", "negative": "..."}}]')
    return [_pair(item, f"pair {number} of '{path}'") for number, item in enumerate(data, 1)]


def _pair(item: object, what: str) -> Pair:
    if not isinstance(item, dict) or {*item} != {"positive", "negative"}:
        shown = ", ".join(map(str, item)) if isinstance(item, dict) else json.dumps(item)[:40]
        raise SpecError(f"{what} needs the keys positive and negative, and no others; it has {shown or 'none'}")
    if not all(isinstance(text, str) for text in item.values()):
        raise SpecError(f"{what} needs texts; it has {json.dumps(item)[:80]}")
    try:
        return Pair(**item)
    except SpecError as error:
        raise SpecError(f"{what}: {error}") from error
