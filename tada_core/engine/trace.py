"""The one impure place: nnsight traces a whole generation and hands every stop's value to a pure edit.

Only the touched modules are boxed: instrumenting the full tree costs a quarter of the run time on a small network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from attrs import frozen
from nnsight import NNsight, _c
from nnsight.intervention.interleaver import OutOfOrderError
from nnsight.tracing.tracer import Tracer
from torch import nn

T = TypeVar("T")

# `import nnsight` puts `.save` on every object, which breaks later imports (torchsde, beartype).
if hasattr(object, "save"):
    _c.unmount("save")
# The source of this file is read at the first trace; read it now, before anything can change it.
Tracer.source(__file__)


@frozen
class Stop:
    """A place the trace stops at in every call.

    Attributes:
        path: module path below the traced root.
        kind: "input" gives the edit (args, kwargs), "output" the module's output, "call" both, as a pair, of which the
            output is replaced.
        edit: returns the replacement, or None to leave the value alone.
    """

    path: str
    kind: Literal["input", "output", "call"]
    edit: Callable[[Any], Any]


def trace(root: nn.Module, stops: Sequence[Stop], run: Callable[[], T]) -> tuple[T, tuple[int, ...]]:
    """Run `run` with every stop visited once per call of its module, in execution order.

    Args:
        root: the module that `Stop.path` starts from.
        stops: in execution order; nnsight shifts silently by a step when they are not.
        run: anything that calls the modules.

    Returns:
        What `run` returned, and how often each stop was visited.
    """
    if not stops:
        return run(), ()
    results: list[T] = []
    visits = [0] * len(stops)
    with _boxed(root, [stop.path for stop in stops]) as (box, names):
        model = NNsight(box)
        envoys = [_envoy(model, names[stop.path]) for stop in stops]
        with model.trace(None, fn=lambda _: results.append(run())) as tracer:
            _visit(tracer, list(zip(stops, envoys, strict=True)), visits)
    return results[0], tuple(visits)


def _visit(tracer: Any, stops: list[tuple[Stop, Any]], visits: list[int]) -> None:
    """Visit every stop of every call; nnsight ends the loop by raising once the run is over."""
    try:
        for _ in tracer.iter[:]:
            for index, (stop, envoy) in enumerate(stops):
                value = _read(envoy, stop.kind)
                visits[index] += 1
                new = stop.edit(value)
                if new is None:
                    continue
                if stop.kind == "input":
                    envoy.inputs = new
                else:
                    envoy.output = new
    except OutOfOrderError:
        return


def _read(envoy: Any, kind: str) -> Any:
    if kind == "call":
        given = envoy.inputs
        return given, envoy.output
    return envoy.inputs if kind == "input" else envoy.output


@contextmanager
def _boxed(root: nn.Module, paths: Sequence[str]) -> Iterator[tuple[nn.Module, dict[str, str]]]:
    """A module that holds only the touched modules, and where in it each path is; the modules are left clean."""
    tops = [path for path in dict.fromkeys(paths) if not any(path.startswith(f"{other}.") for other in paths)]
    box = nn.Module()
    names: dict[str, str] = {}
    for index, top in enumerate(tops):
        box.add_module(f"m{index}", root.get_submodule(top))
        names |= {path: f"m{index}{path[len(top) :]}" for path in paths if path == top or path.startswith(f"{top}.")}
    inside = list(box.modules())[1:]
    before = [{key: module.__dict__[key] for key in _MARKS if key in module.__dict__} for module in inside]
    try:
        yield box, names
    finally:
        for module, marks in zip(inside, before, strict=True):
            for key in _MARKS:
                module.__dict__.pop(key, None)
            module.__dict__.update(marks)


_MARKS = ("__nnsight__", "forward")


def _envoy(model: Any, name: str) -> Any:
    for part in name.split("."):
        model = model[int(part)] if part.isdigit() else getattr(model, part)
    return model
