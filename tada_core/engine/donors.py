"""Donor prompts: their text input at every site, read from one call per branch; the donor is never run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from attrs import field, frozen
from torch import Tensor

from tada_core.adapter import ModelAdapter
from tada_core.engine.forward import Forward, replaced_forward
from tada_core.engine.trace import Stop, trace
from tada_core.engine.values import first_tensor
from tada_core.errors import EngineError
from tada_core.generation import Row, Settings
from tada_core.sites import Site

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


@frozen(eq=False)
class Donors:
    """Text inputs of donor prompts, one row each.

    Attributes:
        prompts: the denoiser's text arguments by (text, branch).
        sites: by (text, branch, site): text arguments of the block (slot "text"), or {"": output} (slots "k", "v").
    """

    prompts: dict[tuple[str, str], dict[str, Tensor]] = field(factory=dict)
    sites: dict[tuple[str, str, Site], dict[str, Tensor]] = field(factory=dict)

    def prompt(self, text: str, branch: str) -> Mapping[str, Tensor]:
        """The denoiser's text arguments for `text` on `branch`."""
        return self.prompts[text, branch]

    def at(self, text: str, branch: str, site: Site) -> Mapping[str, Tensor]:
        """The donor's own input of `branch` at `site`."""
        return self.sites[text, branch, site]


class _EnoughError(Exception):
    """Raised inside the denoiser once every branch has been seen."""


def read_donors(model: ModelAdapter, texts: Iterable[str], settings: Settings, sites: Iterable[Site]) -> Donors:
    """Read the text input of donor prompts.

    The pipeline is started on the donors and stopped at the first calls that show every branch; each such call then
    runs the denoiser once with the wanted sites read. Valid because text inputs depend on no latents and no step.

    Args:
        texts: full donor prompts.
        settings: settings of the rows that will receive them.
        sites: where they are wanted; slots "text", "k" and "v".
    """
    donors, groups = Donors(), dict[object, list[Row]]()
    for text in dict.fromkeys(texts):
        row = Row(text, settings=settings)
        groups.setdefault(model.batch_key(row), []).append(row)
    for rows in groups.values():
        for start in range(0, len(rows), model.defaults.batch):
            _read(model, rows[start : start + model.defaults.batch], execution_order(sites), donors)
    return donors


_SLOT_ORDER = ("text", "q", "k", "v", "out", "residual")


def execution_order(sites: Iterable[Site]) -> tuple[Site, ...]:
    """Distinct layer sites in the order a forward pass reaches them."""
    return tuple(sorted(set(sites), key=lambda site: (site.layer, _SLOT_ORDER.index(site.slot))))


def stop_at(model: ModelAdapter, site: Site, edit: Callable[[Any], Any], both: bool = False) -> Stop:
    """The stop of the trace that stands for a layer site; `both` gives an output's edit the module's input as well."""
    assert site.layer is not None
    path = model.layer(site.layer).module(site.slot)
    if site.slot == "text":
        return Stop(path, "input", edit)
    return Stop(path, "call" if both else "output", edit)


def _read(model: ModelAdapter, rows: Sequence[Row], sites: Sequence[Site], donors: Donors) -> None:
    for (args, kwargs), branches in _first_calls(model, rows):
        seen = _values(model, sites, args, kwargs)
        for branch, place in branches.items():
            for index, row in enumerate(rows):
                at = place.start + index
                donors.prompts[row.text, branch] = _row(kwargs, model.text_kwargs, at)
                for site in sites:
                    donors.sites[row.text, branch, site] = _part(model, site, seen[site], at)


def _values(model: ModelAdapter, sites: Sequence[Site], args: Any, kwargs: Any) -> dict[Site, Any]:
    """What every site sees in one call of the denoiser."""
    seen: dict[Site, Any] = {}

    def keeper(site: Site) -> Callable[[Any], None]:
        def keep(value: Any) -> None:
            seen[site] = value

        return keep

    stops = [stop_at(model, site, keeper(site)) for site in sites]
    with torch.no_grad():
        if stops:
            trace(model.denoiser, stops, lambda: model.denoiser(*args, **kwargs))
    return seen


def _part(model: ModelAdapter, site: Site, value: Any, place: int) -> dict[str, Tensor]:
    assert site.layer is not None
    if site.slot == "text":
        return _row(value[1], model.layer(site.layer).text_args, place)
    return {"": first_tensor(value)[place]}


def _row(values: Mapping[str, Any], names: Iterable[str], place: int) -> dict[str, Tensor]:
    return {name: values[name][place] for name in names if isinstance(values.get(name), Tensor)}


def _first_calls(model: ModelAdapter, rows: Sequence[Row]) -> list[tuple[Arguments, dict[str, slice]]]:
    """Arguments of the first calls that together show every branch, with the branches new in each.

    Where branches come in separate calls, some only after a while, the first call's output stands in for the later
    ones': the text does not depend on it, and the network runs once.

    Raises:
        EngineError: a declared branch never came.
    """
    batch = model.batch(rows)
    missing = set(model.branches(batch.guidance, batch.steps))
    last: list[Any] = []
    calls: list[tuple[Arguments, dict[str, slice]]] = []

    def wrap(forward: Forward) -> Forward:
        def spy(*args: Any, **kwargs: Any) -> Any:
            found = model.locate(args, kwargs, len(rows)).branches
            fresh = {branch: place for branch, place in found.items() if branch in missing}
            if fresh:
                calls.append(((args, kwargs), fresh))
                missing.difference_update(fresh)
            if not missing:
                raise _EnoughError
            if not last:
                last.append(forward(*args, **kwargs))
            return last[0]

        return spy

    try:
        with replaced_forward(model.denoiser, wrap):
            model.sample(batch)
    except _EnoughError:
        return calls
    raise EngineError(f"'{model.name}' never called its denoiser on branch {', '.join(sorted(missing))}")
