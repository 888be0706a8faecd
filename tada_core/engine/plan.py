"""A plan: the rows of one batch compiled into stops of the trace, in execution order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen
from torch import Tensor

from tada_core.adapter import Call, ModelAdapter
from tada_core.engine.calls import Calls
from tada_core.engine.donors import Donors, execution_order, read_donors, stop_at
from tada_core.engine.edits import Edit, LowRankEdit, Moment, gain, kind_of, make_edit
from tada_core.engine.guests import guest_of, place_of
from tada_core.engine.text import replace_rows
from tada_core.engine.trace import Stop
from tada_core.engine.values import first_tensor, with_first
from tada_core.generation import Row, fill
from tada_core.interventions import BlendScore, Intervention, PatchKV, PatchOutput, PatchText, donors_of, sites_of
from tada_core.observer import Observer
from tada_core.sites import LAYER_SLOTS, Site


@frozen(eq=False)
class Plan:
    """What one batch needs: donors read once, and per site the edits in order."""

    model: ModelAdapter
    rows: tuple[Row, ...]
    donors: Donors
    texts: Mapping[Site, tuple[tuple[int, PatchText], ...]]
    edits: Mapping[Site, tuple[Edit, ...]]

    def stops(self, calls: Calls, observer: Observer | None, places: Sequence[int]) -> tuple[Stop, ...]:
        """The trace's stops; `places` are the rows' indices in the whole run, for the observer."""
        watched = observer.sites if observer is not None else ()
        sites = execution_order([*self.texts, *self.edits, *watched])
        return tuple(
            stop_at(self.model, site, self._visitor(site, calls, observer, places), self._reads_input(site))
            for site in sites
        )

    def _reads_input(self, site: Site) -> bool:
        return any(isinstance(edit, LowRankEdit) for edit in self.edits.get(site, ()))

    def _visitor(
        self, site: Site, calls: Calls, observer: Observer | None, places: Sequence[int]
    ) -> Callable[[Any], Any]:
        if site.slot == "text":
            return lambda value: self._patch_text(site, value, calls)

        reads_input = self._reads_input(site)

        def visit(value: Any) -> Any:
            call, given = calls.here(), None
            if reads_input:
                (args, kwargs), value = value
                given = args[0] if args else next(iter(kwargs.values()))
            if observer is not None and site in observer.sites and observer.branch in call.branches:
                # Guests stand behind the rows that were asked for.
                seen = first_tensor(value)[call.branches[observer.branch]][: len(places)]
                observer.see(site, call, places, seen)
            return self._edit_output(site, value, call, given)

        return visit

    def _edit_output(self, site: Site, value: Any, call: Call, given: Tensor | None) -> Any:
        """The module's output with every edit applied, or None when all of them are silent at this call."""
        plain, changed = first_tensor(value), False
        tensor = plain
        for edit in self.edits.get(site, ()):
            for branch, place in call.branches.items():
                gains = edit.gains(call, branch)
                active = [index for index, one in enumerate(gains) if one != 0.0]
                if active:
                    tensor, changed = tensor if changed else tensor.clone(), True
                    at = [place.start + edit.rows[index] for index in active]
                    strengths = [gains[index] for index in active]
                    moment = Moment(call, branch, None if given is None else given[at], plain[place])
                    tensor[at] = edit.apply(tensor[at], active, strengths, moment)
        return with_first(value, tensor) if changed else None

    def _patch_text(self, site: Site, value: Any, calls: Calls) -> Any:
        (args, kwargs), call, changed = value, calls.here(), None
        if call.extra and (new := calls.local(site)):
            return args, replace_rows(kwargs, new)
        for row, member in self.texts.get(site, ()):
            if gain(member, call):
                text = fill(member.donor, self.rows[row].prompt)
                new = {
                    place.start + row: self.donors.at(text, branch, site)
                    for branch, place in call.branches.items()
                    if member.branch in (branch, "both")
                }
                changed = replace_rows(changed or kwargs, new) if new else changed
        return None if changed is None else (args, changed)


def make_plan(model: ModelAdapter, rows: Sequence[Row]) -> Plan:
    """Compile rows of equal settings, guests included, reading the donors they name."""
    all_members = [(row, item) for row, one in enumerate(rows) for item in one.interventions]
    readers = [(row, item) for row, item in all_members if not isinstance(item, PatchOutput)]
    takers = [item for _, item in all_members if isinstance(item, PatchText | PatchKV | BlendScore)]
    wanted = {site for item in takers for site in sites_of(item) if site.layer is not None}
    texts = [fill(donor, rows[row].prompt) for row, item in readers for donor in donors_of(item)]
    donors = read_donors(model, texts, rows[0].settings, wanted) if texts else Donors()
    patched: dict[Site, list[tuple[int, PatchText]]] = defaultdict(list)
    others: dict[Site, list[tuple[int, Intervention]]] = defaultdict(list)
    for row, item in all_members:
        for site in sites_of(item):
            if isinstance(item, PatchText):
                patched[site].append((row, item))
            elif site.slot == "text":
                patched.setdefault(site, [])
            elif site.slot in LAYER_SLOTS:
                others[site].append((row, item))
    edits = {site: _waves(site, found, rows, donors, model) for site, found in others.items()}
    return Plan(model, tuple(rows), donors, {site: tuple(found) for site, found in patched.items()}, edits)


def _waves(
    site: Site, found: Iterable[tuple[int, Intervention]], rows: Sequence[Row], donors: Donors, model: ModelAdapter
) -> tuple[Edit, ...]:
    """Edits of one site: the n-th intervention of every row together, split by kind; order within a row is kept."""
    depth: dict[int, int] = defaultdict(int)
    groups: dict[tuple[object, ...], list[tuple[int, Intervention]]] = defaultdict(list)
    for row, item in found:
        groups[(depth[row], *kind_of(item))].append((row, item))
        depth[row] += 1
    return tuple(
        make_edit([row for row, _ in group], [item for _, item in group], _donated(site, group, rows, donors, model))
        for _, group in sorted(groups.items(), key=lambda pair: pair[0][0])  # type: ignore[arg-type, return-value]
    )


def _donated(
    site: Site,
    group: Sequence[tuple[int, Intervention]],
    rows: Sequence[Row],
    donors: Donors,
    model: ModelAdapter,
) -> list[Any]:
    """For each PatchKV of a group the donor's tensor by branch; for each PatchOutput the row that runs the donor."""
    guests = [guest_of(rows[row], item) for row, item in group if isinstance(item, PatchOutput)]
    if guests:
        return [place_of(guest, rows) for guest in guests]
    if not isinstance(group[0][1], PatchKV):
        return []
    batch = model.batch(rows)
    branches = model.branches(batch.guidance, batch.steps)
    return [
        {branch: donors.at(fill(donors_of(item)[0], rows[row].prompt), branch, site)[""] for branch in branches}
        for row, item in group
    ]
