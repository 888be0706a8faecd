"""A benchmark suite: what is compared with what, as one JSON value that stands beside its results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from attrs import evolve, field, frozen, validators

from tada_bench.arm import Arm, Strengths, Where, read_where
from tada_core.convert import ints, texts
from tada_core.errors import SpecError
from tada_core.even import Even
from tada_core.generation import Settings

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["Arm", "Fitting", "Instead", "Localization", "Suite"]


def _seeds(values: Iterable[int]) -> tuple[int, ...]:
    if not (seeds := tuple(values)):
        raise SpecError("no seeds given; write seeds=(0,)")
    return seeds


_count = validators.ge(1)


@frozen
class Localization:
    """How the layers of a concept are found before steering.

    Attributes:
        pairs: fitting prompts per concept.
        seeds: seeds per prompt.
        base: the prompt that layers are patched into, "neutral" or "opposite".
        readout: alignment metric that measures the effect.
        readouts: other ones, by concept.
        top: how many layers count as local.
        known: layers that count as local without measuring, such as published ones; () measures.
        captions: folder with counterfactual captions, CONCEPT.json as `tada counterfactuals` writes it, of which the
            first `pairs` take the place of fitting prompts; "" is none.
    """

    pairs: int = field(default=4, validator=_count)
    seeds: tuple[int, ...] = field(default=(0,), converter=_seeds)
    base: Literal["neutral", "opposite"] = field(default="neutral", validator=validators.in_(("neutral", "opposite")))
    readout: str = "probes"
    readouts: Mapping[str, str] = field(factory=dict)
    top: int = field(default=2, validator=_count)
    known: tuple[int, ...] = field(default=(), converter=ints)
    captions: str = ""

    def reader(self, concept: str) -> str:
        """The alignment metric that reads a concept's clips."""
        return self.readouts.get(concept, self.readout)


@frozen
class Fitting:
    """What methods are fitted on.

    Attributes:
        prompts: how many of a concept's fitting prompts.
        seeds: clips per prompt.
        reach: how many of them the unit "reach" is measured on.
    """

    prompts: int = field(default=8, validator=_count)
    seeds: tuple[int, ...] = field(default=(0,), converter=_seeds)
    reach: int = field(default=4, validator=_count)


@frozen
class Instead:
    """What stands in for concepts and metrics on models that know fewer words, and whose clips others measure better.

    Attributes:
        models: registry names.
        concepts: the one in the place of each of the suite's; those without are left out.
        alignment, preservation, quality: metrics in the place of the suite's; the first of `alignment` reads out
            localisation.
        prompts, pairs: evaluation and fitting prompts at most, as many as these concepts have.
    """

    models: tuple[str, ...] = field(converter=texts, validator=validators.min_len(1))
    concepts: Mapping[str, str] = field(validator=validators.min_len(1))
    alignment: tuple[str, ...] = field(default=("probes",), converter=texts, validator=validators.min_len(1))
    preservation: str = "spectral"
    quality: tuple[str, ...] = field(default=(), converter=texts)
    prompts: int = field(default=24, validator=_count)
    pairs: int = field(default=32, validator=_count)


def _arms(values: Iterable[Arm]) -> tuple[Arm, ...]:
    return tuple(values)


@frozen
class Suite:
    """Model x concepts x arms x strengths x prompts x seeds, and the metrics they are judged by.

    Attributes:
        name: names the result folder.
        model: registry name.
        concepts: registry names.
        arms: what is compared; without any the suite localises only.
        prompts: how many of every concept's evaluation prompts.
        seeds: clips per prompt; every prompt has noise of its own (`tada_core.seed_at`).
        localization: how "local" layers are found and the heat map is made, or None.
        fitting: what methods are fitted on.
        alignment: metrics of the gain, the first one drawn and tabled first.
        preservation: metric of the change.
        quality: metrics of how good a clip sounds by itself; their mean is the protocol's quality, so that more must
            be better in all of them.
        ceiling: the method whose arms set the cut-off.
        settings: of every clip: localised, fitted and evaluated.
        instead: other concepts and metrics on some models (`tada bench --on`), or None.
        resamples: draws of the bootstrap.
    """

    name: str = field(validator=validators.matches_re(r"[\w.-]+"))
    model: str
    concepts: tuple[str, ...] = field(converter=texts, validator=validators.min_len(1))
    arms: tuple[Arm, ...] = field(converter=_arms)
    prompts: int = field(default=4, validator=_count)
    seeds: tuple[int, ...] = field(default=(0,), converter=_seeds)
    localization: Localization | None = field(factory=Localization)
    fitting: Fitting = field(factory=Fitting)
    alignment: tuple[str, ...] = field(default=("probes",), converter=texts, validator=validators.min_len(1))
    preservation: str = "spectral"
    quality: tuple[str, ...] = field(default=(), converter=texts)
    ceiling: str = "pci"
    settings: Settings = field(factory=Settings)
    instead: Instead | None = None
    resamples: int = field(default=1000, validator=_count)

    def __attrs_post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise SpecError(f"two arms are alike: {', '.join(names)}; join their strengths into one")
        if self.localization is None:
            if found := [str(arm.layers) for arm in self.arms if arm.layers in ("local", "rest")]:
                raise SpecError(
                    f"an arm steers '{found[0]}' layers, but the suite has no localization; add one, or name layers"
                )
            if not self.arms:
                raise SpecError("the suite has neither arms nor a localization, and nothing to do; add one of them")

        if any(isinstance(arm.strengths, Even) for arm in self.arms) and not self.ceilings:
            known = f"give an arm of '{self.ceiling}' strengths of its own"
            raise SpecError(f"strengths are placed up to the cut-off, and nothing sets it: {known}")

    @property
    def ceilings(self) -> tuple[Arm, ...]:
        """The arms that set the cut-off."""
        return tuple(a for a in self.arms if a.method == self.ceiling and not isinstance(a.strengths, Even))

    def evenly(self, points: int) -> Suite:
        """The suite with so many strengths on either side, evenly spaced in what they change, but for its ceiling's."""
        found = (
            arm if arm.method == self.ceiling else evolve(arm, strengths=Even(points), unit=None) for arm in self.arms
        )
        return evolve(self, arms=tuple(found))

    def steered(self, concept: str) -> tuple[Arm, ...]:
        """The arms that steer a concept."""
        return tuple(arm for arm in self.arms if concept not in arm.without)

    def resized(self, model: str | None = None, prompts: int | None = None, seeds: int | None = None) -> Suite:
        """The suite on another model, with another number of prompts, or with seeds 0 to `seeds` - 1.

        Without arms these are the prompts and seeds that it localises on.
        """
        noise = tuple(range(seeds)) if seeds else self.seeds
        how = self.localization
        if how is not None and not self.arms:
            how = evolve(how, pairs=prompts or how.pairs, seeds=noise if seeds else how.seeds)
        return evolve(self, model=model or self.model, prompts=prompts or self.prompts, seeds=noise, localization=how)

    def to_json(self) -> str:
        """The suite as JSON."""
        return json.dumps(_converter().unstructure(self, Suite), indent=2, ensure_ascii=False) + "\n"

    def save(self, path: str | Path) -> Path:
        """Write the suite as JSON."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.to_json())
        return path

    @classmethod
    def load(cls, path: str | Path) -> Suite:
        """Read what `save` wrote.

        Raises:
            SpecError: no such file, no JSON, an unknown key, or a value that is not valid.
        """
        from cattrs import transform_error
        from cattrs.errors import BaseValidationError

        try:
            data = json.loads(Path(path).read_text())
        except (OSError, ValueError) as error:
            raise SpecError(f"cannot read the suite {path}: {error}") from error
        try:
            return _converter().structure(data, cls)
        except BaseValidationError as error:
            wrong = "; ".join(transform_error(error, format_exception=_words))
            raise SpecError(f"{path} is no valid suite: {wrong}") from error


def _words(error: BaseException, kind: type | None) -> str:
    from cattrs.v import format_exception

    return str(error) if isinstance(error, SpecError | ValueError) else format_exception(error, kind)


@cache
def _converter() -> Converter:
    from cattrs import Converter

    made = Converter(forbid_extra_keys=True)
    made.register_structure_hook(
        Strengths, lambda value, _: made.structure(value, Even) if isinstance(value, dict) else tuple(value)
    )
    made.register_structure_hook(Where, lambda value, _: read_where(value))
    made.register_unstructure_hook(Where, lambda value: value if isinstance(value, str) else list(value))
    return made
