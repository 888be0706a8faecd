"""Calls of the denoiser, recorded along a plain run and made again under other prompts, with gradients where asked.

What a call gets beside its text (latents, time, global conditions) stays as the run left it: the state is fixed, and
the prediction is a function of the text and of the network's weights. A model that remembers earlier positions reads
all of them again with the new text.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from attrs import frozen
from torch import Tensor

from tada_core.adapter import Call, ModelAdapter
from tada_core.engine.check import check_rows
from tada_core.engine.donors import Donors
from tada_core.engine.forward import Forward, replaced_forward
from tada_core.engine.run import batches
from tada_core.engine.text import replace_rows
from tada_core.engine.values import first_tensor
from tada_core.errors import EngineError, SpecError
from tada_core.generation import Row


@frozen(eq=False)
class Recorded:
    """One row's part of one call, of the conditional branch; it can be made again as often as one likes.

    Attributes:
        model: whose denoiser is called.
        place: index of the row among those that were recorded.
        call: where in the trajectory.
        args, kwargs: the denoiser's arguments, one row each, out of any graph.
    """

    model: ModelAdapter
    place: int
    call: Call
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def predict(self, texts: Sequence[tuple[str, str]], donors: Donors) -> Tensor:
        """The denoiser's prediction under each of some texts, [texts, ...], all at the recorded state.

        Texts of one length share a pass, so that none of them is padded for another.

        Args:
            texts: full prompts, each with the branch whose text input is read ("cond", "uncond").
            donors: has read them (`tada_core.engine.donors.read_donors`).
        """
        given = [donors.prompt(text, branch) for text, branch in texts]
        alike: dict[object, list[int]] = {}
        for place, one in enumerate(given):
            alike.setdefault(tuple(value.shape for value in one.values()), []).append(place)
        made: dict[int, Tensor] = {}
        for places in alike.values():
            made |= zip(places, self.replay([given[place] for place in places]), strict=True)
        return torch.stack([made[place] for place in range(len(given))])

    def replay(self, texts: Sequence[Mapping[str, Tensor]]) -> Tensor:
        """The prediction under some text inputs of one length, [texts, ...]; gradients reach them and the weights.

        Args:
            texts: the denoiser's text arguments, one row each.
        """
        args, kwargs = self.model.take(self.args, self.kwargs, [0] * len(texts))
        return first_tensor(self.model.denoiser(*args, **replace_rows(kwargs, dict(enumerate(texts)))))


def calls_of(model: ModelAdapter, row: Row) -> int:
    """How many calls of the conditional branch a run of this row has: the steps at which it can be recorded."""
    own = model.resolve(row.settings)
    assert own.guidance is not None and own.steps is not None
    return model.branches(own.guidance, own.steps)["cond"].stop


def record(model: ModelAdapter, rows: Sequence[Row], steps: Sequence[Collection[int]]) -> tuple[Recorded, ...]:
    """Record calls of plain runs, each run no further than the last step that is asked of it.

    Args:
        model: the adapter.
        rows: the runs; those that may share a forward pass do.
        steps: for every row the steps, from 0, at which its call is kept.

    Returns:
        The calls, by row and step.

    Raises:
        SpecError: rows that cannot run, a row with interventions, a step that its run does not have.
        EngineError: a call that never came.
    """
    check_rows(model, rows)
    for row, wanted in zip(rows, steps, strict=True):
        if row.interventions:
            raise SpecError("only plain runs are recorded; leave the interventions out")
        if outside := [step for step in wanted if not 0 <= step < calls_of(model, row)]:
            raise SpecError(f"a run of '{model.name}' has steps 0 to {calls_of(model, row) - 1}, not {outside}")
    found: dict[tuple[int, int], Recorded] = {}
    for places in batches(model, rows, model.defaults.batch):
        missing = {(place, step) for place in places for step in steps[place]}
        for one in _calls(model, rows, places, missing) if missing else ():
            found[one.place, one.call.step] = one
    return tuple(found[key] for key in sorted(found))


class _EnoughError(Exception):
    """Raised inside the denoiser once every wanted call has been seen."""


def _calls(
    model: ModelAdapter, rows: Sequence[Row], places: Sequence[int], missing: set[tuple[int, int]]
) -> list[Recorded]:
    """The wanted calls (row, step) of one batch."""
    kept: list[Recorded] = []

    def wrap(forward: Forward) -> Forward:
        def spy(*args: Any, **kwargs: Any) -> Any:
            call = model.locate(args, kwargs, len(places))
            for at, place in enumerate(places):
                if "cond" in call.branches and (place, call.step) in missing:
                    missing.remove((place, call.step))
                    own, named = model.take(args, kwargs, [call.branches["cond"].start + at])
                    kept.append(Recorded(model, place, call, tuple(map(_copy, own)), _copies(named)))
            if not missing:
                raise _EnoughError
            return forward(*args, **kwargs)

        return spy

    try:
        with replaced_forward(model.denoiser, wrap), torch.no_grad():
            model.sample(model.batch([rows[place] for place in places]))
    except _EnoughError:
        return kept
    raise EngineError(f"'{model.name}' never called its denoiser at (row, step) {sorted(missing)}")


def _copy(value: Any) -> Any:
    """A tensor of its own, out of any graph: samplers write into theirs."""
    return value.detach().clone() if isinstance(value, Tensor) else value


def _copies(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copy(value) for name, value in values.items()}
