"""Validation of rows against a model, before any work starts."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

from tada_core.adapter import ModelAdapter
from tada_core.engine.guests import guest_of
from tada_core.errors import SpecError
from tada_core.generation import Row, fill
from tada_core.interventions import (
    Ablate,
    AddVector,
    BlendScore,
    Intervention,
    LowRankAdd,
    PatchKV,
    PatchOutput,
    PatchText,
    SAEDecodeAdd,
    ShiftTokens,
    SwitchPrompt,
    donors_of,
    sites_of,
)
from tada_core.sites import LAYER_SLOTS, Site
from tada_core.tensors import TensorRef


def check_rows(model: ModelAdapter, rows: Sequence[Row]) -> None:
    """Refuse what cannot run on this model, and warn of prompts whose end it does not read.

    Raises:
        SpecError: no rows, lyrics for a model that does not sing, an empty donor prompt or one of another length where
            that matters, a donor that cannot run beside its host, an absent branch, a slot that cannot be written, a
            wrong width.
        UnknownNameError: a layer that does not exist.
    """
    if not rows:
        raise SpecError("no rows to run; give at least one prompt and one seed")
    for number, row in enumerate(rows):
        settings = model.resolve(row.settings)
        if settings.lyrics and not model.sings:
            raise SpecError(f"row {number} has lyrics, but '{model.name}' does not sing; leave them out")
        assert settings.guidance is not None and settings.steps is not None
        branches = model.branches(settings.guidance, settings.steps)
        for item in row.interventions:
            where = f"row {number}: {type(item).__name__}"
            _check(model, item, branches, where)
            _check_lengths(model, row, item, where)
            if isinstance(item, PatchOutput):
                _check_guest(model, row, item, where)
            if isinstance(item, ShiftTokens):
                model.places(row.text, fill(item.word, row.prompt))
    _warn_of_cuts(model, rows)


def _warn_of_cuts(model: ModelAdapter, rows: Sequence[Row]) -> None:
    others = (fill(donor, row.prompt) for row in rows for item in row.interventions for donor in donors_of(item))
    for text in dict.fromkeys((*(row.text for row in rows), *others)):
        if lost := model.unread(text):
            said = f"a prompt is too long for '{model.name}', which does not read its end"
            warnings.warn(f"{said}: '{lost}'; make it shorter", stacklevel=2)


def _check(model: ModelAdapter, item: Intervention, branches: Mapping[str, range], where: str) -> None:
    branch = "cond" if isinstance(item, BlendScore) else item.branch
    if branch != "both":
        _check_branch(item, branch, branches, where)
    if isinstance(item, LowRankAdd):
        _check_low_rank(model, item, where)
    if not all(text.strip() for text in donors_of(item)):
        raise SpecError(f"{where} has an empty prompt")
    for site in sites_of(item):
        if site.layer is not None:
            # Refuses a projection that the network does not have.
            model.layer(site.layer).module(site.slot)
    if isinstance(item, AddVector | SAEDecodeAdd | Ablate):
        _check_output(model, item, where)


def _check_guest(model: ModelAdapter, row: Row, item: PatchOutput, where: str) -> None:
    """A donor that is run shares every forward pass with its host."""
    guest = guest_of(row, item)
    if model.batch_key(guest) != model.batch_key(row):
        said = f"'{guest.text}' cannot share a forward pass of '{model.name}' with the row's own '{row.text}'"
        raise SpecError(f'{where}: {said}; use prompts of the same token length, or PatchText (slot "text")')
    if resized(model, row):
        raise SpecError(f"{where}: the row's text changes its length, so it runs alone; leave out one of the two")


def _check_lengths(model: ModelAdapter, row: Row, item: Intervention, where: str) -> None:
    """Keys and values can only be replaced by as many tokens; so can text without a mask, but for a whole call.

    The two prompts of a BlendScore have a call of their own, so it is enough that they are of one length.
    """
    whole = isinstance(item, PatchText | SwitchPrompt) and item.branch == "both"
    if whole or (masked(model) and not isinstance(item, PatchKV)):
        return
    others, own = lengths(model, row, item), model.tokens(row.text)
    if isinstance(item, BlendScore) and len({other for _, other in others}) == 1:
        return
    for text, other in others:
        if own != other:
            way = (
                'PatchText (slot "text")' if isinstance(item, PatchKV) else "PatchText or SwitchPrompt on both branches"
            )
            said = f"'{text}' has {other} tokens, the row's own '{row.text}' {own}"
            raise SpecError(f"{where}: {said}; use prompts of one length, or {way}")


def masked(model: ModelAdapter) -> bool:
    """Whether a mask goes with the model's text, so that padding can be hidden."""
    return any("mask" in name for name in model.text_kwargs)


def lengths(model: ModelAdapter, row: Row, item: Intervention) -> list[tuple[str, int | None]]:
    """Every other prompt that an intervention reads in place of the row's own, with the number of its tokens."""
    if isinstance(item, PatchOutput):
        return []
    texts = [fill(donor, row.prompt) for donor in donors_of(item)]
    return [(text, model.tokens(text)) for text in texts]


def resized(model: ModelAdapter, row: Row) -> bool:
    """Whether the row's text changes its length while no mask can hide the difference."""
    if masked(model) or not any(donors_of(item) for item in row.interventions):
        return False
    own = model.tokens(row.text)
    return any(other != own for item in row.interventions for _, other in lengths(model, row, item))


def _check_branch(item: Intervention, branch: str, branches: Mapping[str, range], where: str) -> None:
    if branch not in branches:
        raise SpecError(f"{where} addresses branch '{branch}', but this run has {', '.join(branches)}; set guidance")
    total, there = branches["cond"].stop, branches[branch]
    active = [step for step in range(total) if item.schedule.gain(step, total)]
    if active and not any(step in there for step in active):
        raise SpecError(
            f"{where} acts at steps {active[0]} to {active[-1]} of {total}, where branch '{branch}' is not there; it "
            f"exists at steps {there.start} to {there.stop - 1}"
        )


def _check_output(model: ModelAdapter, item: AddVector | SAEDecodeAdd | Ablate, where: str) -> None:
    if item.site.slot not in LAYER_SLOTS or item.site.slot == "text":
        raise SpecError(f"{where} acts on a module's output; '{item.site}' has none (use q, k, v, out or residual)")
    reference = item.sae.decoder if isinstance(item, SAEDecodeAdd) else item.vector
    if reference is None:
        return
    _check_vector(reference, width_at(model, item.site), where, item.site)


def _check_vector(reference: TensorRef, width: int, where: str, site: Site) -> None:
    reference.tensor()
    if reference.shape[-1] != width:
        raise SpecError(f"{where} has width {reference.shape[-1]}, but {site} is {width} wide; fit it on this model")
    if len(reference.shape) not in (1, 2):
        raise SpecError(f"{where} needs a vector [width] or [steps, width], not {list(reference.shape)}")


def _check_low_rank(model: ModelAdapter, item: LowRankAdd, where: str) -> None:
    assert item.site.layer is not None
    module = model.denoiser.get_submodule(model.layer(item.site.layer).module(item.site.slot))
    wanted = int(module.in_features), int(module.out_features)  # type: ignore[arg-type]
    found = item.down.shape[-1], item.up.shape[0]
    if found != wanted:
        way = f"{item.site} maps {wanted[0]} to {wanted[1]}; fit it on this model"
        raise SpecError(f"{where} maps {found[0]} to {found[1]} features, but {way}")


def width_at(model: ModelAdapter, site: Site) -> int:
    """Features of a site's output."""
    assert site.layer is not None
    layer = model.layer(site.layer)
    if site.slot in ("out", "residual"):
        return layer.width
    return int(model.denoiser.get_submodule(layer.module(site.slot)).out_features)  # type: ignore[arg-type]
