"""`tada counterfactuals`: captions and their counterfactuals, for localisation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tada_concepts.lookup import KEYWORDS
from tada_registry.terminal.screen import AsJson

if TYPE_CHECKING:
    from tada_concepts.counterfactual import Selection

EXAMPLES = 3


def counterfactuals(
    concept: Annotated[str, typer.Argument(help=f"One of {', '.join(KEYWORDS)}.")],
    captions: Annotated[
        str, typer.Option(help="File (.txt, .csv, .json, .jsonl), or the project's own: music or etude.")
    ] = "music",
    column: Annotated[
        str | None, typer.Option(help="Column or key of the captions; default: caption, text or prompt.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, help="Number of pairs at most.")] = 256,
    out: Annotated[Path | None, typer.Option(help="Write the pairs to this .json file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make pairs of captions that differ in a concept's words alone, and say why other captions make none."""
    from tada_concepts.captions import own_captions
    from tada_concepts.counterfactual import select
    from tada_concepts.lookup import get_keywords
    from tada_core.captions import read_captions
    from tada_core.localization.pair import write_pairs

    keywords = get_keywords(concept)
    read = read_captions(captions, column) if Path(captions).suffix else own_captions(captions)
    selection = select(read, keywords, most)
    if out is not None:
        write_pairs(selection.pairs, out)
    if as_json:
        print(json.dumps(_data(concept, selection), indent=2, ensure_ascii=False))
    else:
        _show(concept, selection, out)


def _data(concept: str, selection: Selection) -> dict[str, Any]:
    pairs = [{"positive": pair.positive, "negative": pair.negative} for pair in selection.pairs]
    dropped = {reason.name.lower(): count for reason, count in selection.dropped.items()}
    return {"concept": concept, "read": selection.read, "kept": len(pairs), "dropped": dropped, "pairs": pairs}


def _show(concept: str, selection: Selection, out: Path | None) -> None:
    print(f"{concept}: {len(selection.pairs)} of {selection.read} captions make a pair")
    for reason, count in selection.dropped.items():
        print(f"{count:6d} left out: {reason}")
    for pair in selection.pairs[:EXAMPLES]:
        print(f"\n  + {pair.positive}\n  - {pair.negative}")
    if out is not None:
        print(f"\npairs: {out}")
