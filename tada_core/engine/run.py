"""run: the only way anything is generated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from tada_core.adapter import ModelAdapter
from tada_core.clip import Clip
from tada_core.engine.calls import Calls
from tada_core.engine.check import check_rows, resized
from tada_core.engine.forward import replaced_forward
from tada_core.engine.guests import with_guests
from tada_core.engine.plan import make_plan
from tada_core.engine.trace import trace
from tada_core.errors import EngineError, SpecError
from tada_core.generation import Row
from tada_core.observer import Observer
from tada_core.progress import Progress, bar


def run(
    model: ModelAdapter,
    rows: Sequence[Row],
    *,
    batch_size: int | None = None,
    observer: Observer | None = None,
    progress: Progress | None = None,
) -> tuple[Clip, ...]:
    """Make one clip per row; rows of one batch may carry different interventions.

    Args:
        model: the adapter.
        rows: what to make; the result keeps their order.
        batch_size: rows per forward pass (default: the model's), donors that are run beside them included; halved where
            memory runs out.
        observer: reads activations while the clips are made.
        progress: called with (clips done, clips in all) after every batch; by default a bar, at a terminal.

    Raises:
        SpecError, UnknownNameError: a row that cannot run on this model, before any work starts.
        EngineError: a site that the run never reached, or not on every call; latents that are not finite.
    """
    check_rows(model, rows)
    size = checked_size(model, batch_size)
    clips: dict[int, Clip] = {}
    with nullcontext(progress) if progress is not None else bar(f"{model.name}: clips") as report:
        for places in batches(model, rows, size):
            for part in _halving(model, [rows[place] for place in places], places, observer):
                clips.update(part)
                report(len(clips), len(rows))
    return tuple(clips[place] for place in range(len(rows)))


def checked_size(model: ModelAdapter, batch_size: int | None) -> int:
    """Rows per forward pass, the model's own for None.

    Raises:
        SpecError: less than one.
    """
    size = model.defaults.batch if batch_size is None else batch_size
    if size < 1:
        raise SpecError(f"batch_size must be at least 1, not {size}")
    return size


def generations(model: ModelAdapter, rows: Sequence[Row], batch_size: int | None = None) -> int:
    """How many rows the model samples for these: themselves, and donors that are run beside them (PatchOutput)."""
    size = checked_size(model, batch_size)
    return sum(len(with_guests([rows[place] for place in places])) for places in batches(model, rows, size))


def batches(model: ModelAdapter, rows: Sequence[Row], size: int) -> Iterator[list[int]]:
    """Row indices that may share a forward pass (equal settings, equal batch key), at most `size` with their guests.

    A row whose text changes its length while no mask can hide the difference runs alone; so does one that has as many
    guests as would fill a batch.
    """
    groups: dict[object, list[int]] = {}
    for place, row in enumerate(rows):
        alone = place if resized(model, row) else None
        groups.setdefault((model.resolve(row.settings), model.batch_key(row), alone), []).append(place)
    for places in groups.values():
        start = 0
        for end in range(1, len(places) + 1):
            if end - start > 1 and len(with_guests([rows[place] for place in places[start:end]])) > size:
                yield places[start : end - 1]
                start = end - 1
        yield places[start:]


def _halving(
    model: ModelAdapter, rows: Sequence[Row], places: Sequence[int], observer: Observer | None
) -> Iterator[dict[int, Clip]]:
    """Clips of one batch; where memory runs out, of its two halves."""
    try:
        clips = run_batch(model, rows, places, observer)
    except torch.OutOfMemoryError:
        if len(rows) == 1:
            raise
        clips = None
    if clips is not None:
        yield dict(zip(places, clips, strict=True))
        return
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    half = len(rows) // 2
    yield from _halving(model, rows[:half], places[:half], observer)
    yield from _halving(model, rows[half:], places[half:], observer)


def run_batch(
    model: ModelAdapter, rows: Sequence[Row], places: Sequence[int], observer: Observer | None = None
) -> list[Clip]:
    """One forward pass over rows that may share it."""
    batch = model.batch(rows)
    if observer is not None:
        observer.begin(places)
    latents = sample(model, rows, places, observer)
    check_finite(latents, rows, places)
    audios = model.decode(latents, batch)
    if observer is not None:
        observer.finish(places)
    return [Clip(row, audio, part.cpu()) for row, audio, part in zip(rows, audios, latents, strict=True)]


def check_finite(latents: Tensor, rows: Sequence[Row], places: Sequence[int]) -> None:
    """Refuse latents that blew up, before they are decoded.

    Raises:
        EngineError: names the row, and what mends it.
    """
    for row, place, own in zip(rows, places, latents, strict=True):
        if own.is_floating_point() and not own.isfinite().all():
            what = "its interventions are too strong: lower their strength, or choose fewer layers"
            mends = what if row.interventions else "the model itself fails here: load it with dtype=float32"
            raise EngineError(f"row {place} ('{row.text}') ended in numbers that are not finite; {mends}")


def sample(model: ModelAdapter, rows: Sequence[Row], places: Sequence[int], observer: Observer | None) -> Tensor:
    """Final latents of one batch, [rows, ...], every intervention applied and every site proven reached.

    Guests run behind the rows, and their latents are dropped.
    """
    every = with_guests(rows)
    plan = make_plan(model, every)
    calls = Calls(model, every, plan.donors)
    stops = plan.stops(calls, observer, places)
    batch = model.batch(every)
    with replaced_forward(model.denoiser, calls.wrap):
        latents, visits = trace(model.denoiser, stops, lambda: model.sample(batch))
    for stop, count in zip(stops, visits, strict=True):
        if count != calls.count:
            raise EngineError(
                f"{stop.kind} of '{stop.path}' was reached in {count} of {calls.count} calls of the denoiser; "
                "the adapter's layer table does not match the network"
            )
    return latents[: len(rows)]
