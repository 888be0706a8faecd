"""Where each call of the denoiser stands, and what is done to whole calls: prompt edits and blended scores.

A thin wrapper on the denoiser's forward, outside the trace: it may call the network again, which the trace may not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve
from torch import Tensor

from tada_core.adapter import Call, ModelAdapter
from tada_core.engine.donors import Donors
from tada_core.engine.edits import gain
from tada_core.engine.forward import Forward
from tada_core.engine.text import replace_rows, shift_row, shift_tokens
from tada_core.engine.values import first_tensor, with_first
from tada_core.errors import EngineError
from tada_core.generation import Row, fill
from tada_core.interventions import BlendScore, ShiftPrompt, ShiftTokens, SwitchPrompt
from tada_core.maths.blend import shift
from tada_core.sites import Site


class Calls:
    """The calls of one batch: `here()` says where the running call stands, `count` how many there were."""

    def __init__(self, model: ModelAdapter, rows: Sequence[Row], donors: Donors) -> None:
        self.count = 0
        self._model, self._rows, self._donors = model, rows, donors
        self._current: Call | None = None
        self._prompt = members(rows, (SwitchPrompt, ShiftPrompt, ShiftTokens))
        self._words = {
            (row, item.word): model.places(rows[row].text, fill(item.word, rows[row].prompt))
            for row, item in members(rows, (ShiftTokens,))
        }
        self._blend = members(rows, (BlendScore,))
        self._blended: tuple[object, dict[int, Tensor]] = (None, {})
        self._extra: list[tuple[tuple[int, ...] | None, str]] = []

    def here(self) -> Call:
        """Where the running call stands.

        Raises:
            EngineError: a site fired outside any call of the denoiser.
        """
        if self._current is None:
            raise EngineError("a site was reached outside the denoiser's forward")
        return self._current

    def wrap(self, forward: Forward) -> Forward:
        """The denoiser's forward with this bookkeeping around it."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            call = self._model.locate(args, kwargs, len(self._rows))
            kwargs = self._edit_prompts(kwargs, call)
            deltas = self._deltas(forward, args, kwargs, call)
            output = self._run(forward, args, kwargs, call)
            return add_deltas(output, deltas, call) if deltas else output

        return wrapped

    def _run(self, forward: Forward, args: Any, kwargs: Any, call: Call) -> Any:
        self._current, self.count = call, self.count + 1
        try:
            return forward(*args, **kwargs)
        finally:
            self._current = None

    def _edit_prompts(self, kwargs: dict[str, Any], call: Call) -> dict[str, Any]:
        """Text of the call with every row's SwitchPrompt, ShiftPrompt and ShiftTokens applied, in order."""
        for row, member in self._prompt:
            if strength := gain(member, call):
                new = {
                    place.start + row: self._new_text(kwargs, place.start + row, row, member, branch, strength)
                    for branch, place in call.branches.items()
                    if member.branch in (branch, "both")
                }
                kwargs = replace_rows(kwargs, new) if new else kwargs
        return kwargs

    def _new_text(
        self, kwargs: Mapping[str, Any], at: int, row: int, member: Any, branch: str, strength: float
    ) -> Mapping[str, Tensor]:
        if isinstance(member, SwitchPrompt):
            return self._donor(row, member.prompt, branch)
        if isinstance(member, ShiftTokens):
            name, places = self._words[row, member.word]
            return {name: shift_tokens(kwargs[name][at], places, member.vector.tensor(), strength)}
        positive, negative = self._donor(row, member.positive, branch), self._donor(row, member.negative, branch)
        return shift_row(kwargs, at, positive, negative, strength)

    def _donor(self, row: int, template: str, branch: str) -> Mapping[str, Tensor]:
        return self._donors.prompt(fill(template, self._rows[row].prompt), branch)

    def local(self, site: Site) -> dict[int, Mapping[str, Tensor]]:
        """Text of a layer in the running extra pass, by row, for the rows that choose this layer."""
        return {
            at: self._donors.at(text, "cond", site)
            for at, (layers, text) in enumerate(self._extra)
            if layers is not None and site.layer in layers
        }

    def _own(self, call: Call, rows: Sequence[int]) -> list[int]:
        """Where rows stand in the conditional pass: layers that are not chosen go on reading the text there."""
        if "cond" not in call.branches and any(layers is not None for layers, _ in self._extra):
            raise EngineError("this sampler does not begin a step with 'cond'; use BlendScore on all layers")
        place = call.branches.get("cond", next(iter(call.branches.values())))
        return [place.start + row for row in rows]

    def _deltas(self, forward: Forward, args: Any, kwargs: Any, call: Call) -> dict[int, Tensor]:
        """Sum of a (v(positive) - v(negative)) of every row that blends at this step, computed once per step."""
        active = [(row, member, gain(member, call)) for row, member in self._blend if gain(member, call)]
        if not active or self._blended[0] == (call.step, call.sigma):
            return self._blended[1] if active else {}
        self._extra = [
            (member.layers, fill(getattr(member, side), self._rows[row].prompt))
            for side in ("positive", "negative")
            for row, member, _ in active
        ]
        args, kwargs = self._model.take(args, kwargs, self._own(call, [row for row, _, _ in active]) * 2)
        new = {at: self._donors.prompt(text, "cond") for at, (layers, text) in enumerate(self._extra) if layers is None}
        kwargs = replace_rows(kwargs, new) if new else kwargs
        output = first_tensor(self._run(forward, args, kwargs, evolve(call, branches={}, extra=True)))
        deltas: dict[int, Tensor] = {}
        for at, (row, _, strength) in enumerate(active):
            base = deltas.get(row, output.new_zeros(output[at].shape))
            deltas[row] = shift(base, output[at], output[at + len(active)], strength)
        self._blended = ((call.step, call.sigma), deltas)
        return deltas


def members(rows: Sequence[Row], kinds: tuple[type, ...]) -> list[tuple[int, Any]]:
    """(row, intervention) of every intervention of some kinds, in order."""
    return [(row, item) for row, one in enumerate(rows) for item in one.interventions if isinstance(item, kinds)]


def add_deltas(output: Any, deltas: Mapping[int, Tensor], call: Call) -> Any:
    """The prediction with each row's difference added on every branch: guidance passes it through unchanged."""
    score = first_tensor(output).clone()
    for place in call.branches.values():
        for row, delta in deltas.items():
            score[place.start + row] += delta
    return with_first(output, score)
