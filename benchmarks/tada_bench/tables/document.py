"""All tables of a report in one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tada_bench.comparisons import Comparison
from tada_bench.paper.beside import LINK, Beside
from tada_bench.results import ArmResult
from tada_bench.tables.text import grid, latex, markdown
from tada_bench.verdicts import HEAD, rows, summaries


def markdown_document(
    results: Sequence[ArmResult], found: Sequence[Comparison], paper: Beside | None, ceiling: str
) -> str:
    """Per metric the result table and the differences; then what ends early, and the published numbers."""
    return "\n".join(_parts(results, found, paper, ceiling))


def _parts(
    results: Sequence[ArmResult], found: Sequence[Comparison], paper: Beside | None, ceiling: str
) -> Iterator[str]:
    for metric in dict.fromkeys(result.metric for result in results):
        yield f"## {metric}\n"
        yield markdown([result for result in results if result.metric == metric])
        if own := [one for one in found if one.metric == metric]:
            yield "### Which differences are real\n"
            yield "".join(f"* {said}\n" for said in summaries(own, ceiling))
            yield grid(HEAD, [[cell.text for cell in row] for row in rows(own)])
    if said := notes(results):
        yield "## Curves that end early\n"
        yield "".join(f"* {note}\n" for note in said)
    if paper is not None:
        yield "## Beside the paper\n"
        yield f"{paper.said} ({LINK}).\n"
        if paper.rows:
            yield grid(paper.head, paper.rows)


def notes(results: Sequence[ArmResult]) -> list[str]:
    """Why areas are missing or end early, one sentence per concept, arm and side; under every metric the same."""
    found = (f"{result.arm}, {result.concept}, {note}" for result in results for note in result.notes)
    return list(dict.fromkeys(found))


def latex_document(results: Sequence[ArmResult]) -> str:
    """The result table of every metric."""
    metrics = dict.fromkeys(result.metric for result in results)
    return "\n".join(f"% {metric}\n{latex([one for one in results if one.metric == metric])}" for metric in metrics)
