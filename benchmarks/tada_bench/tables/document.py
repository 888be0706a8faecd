"""All tables of a report in one file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tada_bench.findings import Findings
from tada_bench.paper.beside import LINK, Beside
from tada_bench.results import ArmResult
from tada_bench.tables import together
from tada_bench.tables.text import bold_grid, grid, latex, markdown
from tada_bench.verdicts import HEAD, rows, summaries


def markdown_document(found: Findings, paper: Beside | None) -> str:
    """Per metric the result tables and the differences; then what ends early, and the published numbers."""
    return "\n".join(_parts(found, paper))


def _parts(found: Findings, paper: Beside | None) -> Iterator[str]:
    for metric in found.metrics:
        own = found.of(metric)
        yield f"## {metric}\n"
        yield markdown(own.results)
        for overall in own.overall.values():
            yield "### All concepts together\n"
            yield f"{together.said(overall, found.ceiling)}\n"
            yield bold_grid(together.HEAD, together.rows(overall))
        if own.comparisons:
            yield "### Which differences are real\n"
            yield "".join(f"* {said}\n" for said in summaries(own.comparisons, found.ceiling))
            yield grid(HEAD, [[cell.text for cell in row] for row in rows(own.comparisons)])
    if said := notes(found.results):
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
