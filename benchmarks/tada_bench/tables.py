"""The result table as CSV, Markdown and LaTeX, and the scores of every clip as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from tada_bench.protocol.bootstrap import Estimate
from tada_bench.results import ArmResult, Score

HEAD = ("concept", "method", "layers", "AUC +", "AUC -", "AUC mean", "smoothness", "cut-off reached")


def number(value: float | None) -> str:
    """A number with three significant digits; n/a where it is undefined."""
    if value is None:
        return "n/a"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def interval(found: Estimate) -> str:
    """A number with its interval in brackets."""
    if found.low is None or found.high is None:
        return number(found.value)
    return f"{number(found.value)} [{number(found.low)}, {number(found.high)}]"


def verdict(result: ArmResult) -> str:
    """Whether the curve reaches the cut-off, in words."""
    if result.cutoffs == (None, None):
        return "no cut-off"
    short = [side for side, there in zip("+-", result.reached, strict=True) if not there]
    return "yes" if not short else f"not {' or '.join(short)}"


def span(layers: Sequence[int]) -> str:
    """Layer numbers with runs of three and more shortened: "0-7", "2, 3"."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def lines(results: Iterable[ArmResult]) -> list[tuple[str, ...]]:
    """The result table, one line per concept and arm, in the order of HEAD."""
    return [
        (
            result.concept,
            result.arm,
            span(result.layers),
            interval(result.positive),
            interval(result.negative),
            interval(result.mean),
            interval(result.smoothness),
            verdict(result),
        )
        for result in results
    ]


def plain(results: Iterable[ArmResult]) -> str:
    """The result table for a terminal, columns padded."""
    rows = [HEAD, *lines(results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def markdown(results: Iterable[ArmResult]) -> str:
    """The result table in Markdown."""
    rows = [HEAD, tuple("---" for _ in HEAD), *lines(results)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def latex(results: Iterable[ArmResult]) -> str:
    """The result table in LaTeX (needs the package booktabs)."""
    body = [" & ".join(map(_escaped, row)) + r" \\" for row in lines(results)]
    head = " & ".join(map(_escaped, HEAD)) + r" \\"
    rows = [rf"\begin{{tabular}}{{{'l' * len(HEAD)}}}", r"\toprule", head, r"\midrule", *body, r"\bottomrule"]
    return "\n".join([*rows, r"\end{tabular}"]) + "\n"


def _escaped(text: str) -> str:
    for sign in "&%$#_{}":
        text = text.replace(sign, f"\\{sign}")
    return text


def results_csv(results: Iterable[ArmResult]) -> str:
    """The results in full precision, one line per concept, arm and metric."""
    head = ["concept", "arm", "layers", "metric", "unit", "prompts", "seeds", "cutoff_positive", "cutoff_negative"]
    names = ("positive", "negative", "mean", "smoothness")
    head += [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
    rows = []
    for result in results:
        found: list[object] = [result.concept, result.arm, " ".join(map(str, result.layers)), result.metric]
        found += [result.unit, result.prompts, result.seeds, *result.cutoffs]
        for name in names:
            one: Estimate = getattr(result, name)
            found += [one.value, one.low, one.high]
        rows.append(found)
    return _csv([*head, "reached_positive", "reached_negative"], [
        [*row, *result.reached] for row, result in zip(rows, results, strict=True)
    ])  # fmt: skip


def scores_csv(scores: Iterable[Score]) -> str:
    """Scores per clip in full precision."""
    head = ["concept", "arm", "prompt", "seed", "strength", "metric", "alignment", "preservation", "identity"]
    return _csv(head, [
        [s.point.concept, s.point.arm, s.point.prompt, s.point.seed, s.point.strength,
         s.metric, s.alignment, s.preservation, s.point.identity] for s in scores
    ])  # fmt: skip


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()
