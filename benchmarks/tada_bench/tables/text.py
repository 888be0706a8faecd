"""The result table as text; the best of a column is bold where text can be."""

from __future__ import annotations

from collections.abc import Sequence

from tada_bench.results import ArmResult
from tada_bench.tables.layout import WIDE, Cell, layout


def plain(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table for a terminal, columns padded, without what it has no room for."""
    shown = [place for place, name in enumerate(head) if name not in WIDE]
    texts = [[head[place] for place in shown], *([row[place].text for place in shown] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in texts)


def markdown(results: Sequence[ArmResult]) -> str:
    """The result table in Markdown."""
    return bold_grid(*layout(results))


def bold_grid(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table in Markdown, the best cells bold."""
    return grid(head, [[f"**{cell.text}**" if cell.best else cell.text for cell in row] for row in rows])


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---" for _ in head], *rows))


def latex(results: Sequence[ArmResult]) -> str:
    """The result table in LaTeX (needs the package booktabs)."""
    head, body = layout(results)
    cells = [
        [rf"\textbf{{{_escaped(cell.text)}}}" if cell.best else _escaped(cell.text) for cell in row] for row in body
    ]
    lines = [" & ".join(row) + r" \\" for row in (list(map(_escaped, head)), *cells)]
    begin = [rf"\begin{{tabular}}{{{'l' * len(head)}}}", r"\toprule", lines[0], r"\midrule"]
    return "\n".join([*begin, *lines[1:], r"\bottomrule", r"\end{tabular}"]) + "\n"


def _escaped(text: str) -> str:
    for sign in "&%$#_{}":
        text = text.replace(sign, f"\\{sign}")
    return text
