"""Which differences are real, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from attrs import frozen

from tada_bench.comparisons import Comparison, Difference
from tada_bench.protocol.bootstrap import Estimate
from tada_bench.words import chance, interval

LEVEL = 0.05
"""A difference that chance makes no more often than this, after correction, is called real."""

HEAD = ("concept", "which", "AUC avg", "p", "AUC +", "p", "AUC -", "p", "prompts")


@frozen
class Told:
    """A cell of the table of differences; `real` is whether its difference is told apart from chance."""

    text: str
    real: bool = True


def rows(found: Iterable[Comparison]) -> list[tuple[Told, ...]]:
    """The table of differences, in the order of HEAD: the arm named first less the second, p-values corrected."""
    return [_row(one) for one in found]


def by_concept(found: Iterable[Comparison]) -> dict[str, list[tuple[Told, ...]]]:
    """The rows of every concept, those first where AUC avg differs."""
    each = defaultdict[str, list[Comparison]](list)
    for one in found:
        each[one.concept].append(one)
    return {concept: rows(sorted(own, key=lambda one: not real(one.mean))) for concept, own in each.items()}


def _row(found: Comparison) -> tuple[Told, ...]:
    cells = [cell for one in (found.mean, found.positive, found.negative) for cell in _cells(one, _turned(found))]
    prompts = f"{found.prompts} of {found.asked}"
    return (Told(found.concept), Told(verdict(found), real(found.mean)), *cells, Told(prompts))


def _cells(found: Difference, turned: bool) -> tuple[Told, Told]:
    bounds = (found.high, found.low) if turned else (found.low, found.high)
    # Adding 0 turns -0 into 0.
    numbers = (None if one is None else (-one if turned else one) + 0.0 for one in (found.value, *bounds))
    return Told(interval(Estimate(*numbers)), real(found)), Told(chance(found.corrected), real(found))


def _turned(found: Comparison) -> bool:
    """Whether the second arm has the larger AUC avg and is named first."""
    return found.mean.value is not None and found.mean.value < 0


def real(found: Difference) -> bool:
    """Whether a difference is told apart from chance."""
    return found.corrected is not None and found.corrected <= LEVEL


def verdict(found: Comparison) -> str:
    """What the difference of AUC avg says about the two arms, the one of the larger area first."""
    better, worse = (found.second, found.first) if _turned(found) else (found.first, found.second)
    if found.mean.corrected is None:
        return f"{better} and {worse} cannot be compared"
    if not real(found.mean):
        return f"{better} and {worse} cannot be told apart"
    return f"{better} is better than {worse}"


def summaries(found: Iterable[Comparison], ceiling: str) -> list[str]:
    """What the comparisons come to, a sentence for all families of which the same is true.

    Args:
        found: of one metric.
        ceiling: the method that sets the cut-off.
    """
    families = defaultdict[tuple[str, bool], list[Comparison]](list)
    for one in found:
        families[one.concept, one.ceiling].append(one)
    said = defaultdict[str, list[str]](list)
    for (concept, against), family in families.items():
        said[_summary(family)].append(f"{concept} against {ceiling}" if against else concept)
    return [f"{', '.join(names)}: {words}" for words, names in said.items()]


def _summary(family: Sequence[Comparison]) -> str:
    prompts, pairs, smallest = max(one.prompts for one in family), len(family), min(one.least for one in family)
    if pairs * smallest > LEVEL:
        also = f", and {chance(min(1.0, pairs * smallest))} after correction for {pairs} pairs" if pairs > 1 else ""
        return (
            f"{prompts} prompt{'s' * (prompts != 1)} cannot distinguish anything: "
            f"the smallest possible p is {chance(smallest)}{also}"
        )
    if pairs == 1:
        return verdict(family[0])
    if not (count := sum(real(one.mean) for one in family)):
        return f"none of {pairs} differences can be told from chance"
    return f"{count} of {pairs} differences {'is' if count == 1 else 'are'} real"
