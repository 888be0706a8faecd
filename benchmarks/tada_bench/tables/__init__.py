"""Results as tables: Markdown, LaTeX, plain text and CSV."""

from tada_bench.tables.sheets import scores_csv
from tada_bench.tables.text import latex, markdown
from tada_bench.words import number, span

__all__ = ["latex", "markdown", "number", "scores_csv", "span"]
