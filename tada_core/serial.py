"""JSON for the project's values: tagged with "type", strict about keys, hashed by content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import attrs

from tada_core import interventions as iv
from tada_core.errors import SpecError, unknown
from tada_core.generation import Generation, Row, Settings
from tada_core.interventions import Intervention
from tada_core.schedule import Schedule
from tada_core.sites import Site
from tada_core.tensors import TensorRef

if TYPE_CHECKING:
    from cattrs import Converter
    from torch import Tensor

_TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (*get_args(Intervention), Generation, Row, Settings, Schedule, Site, TensorRef, iv.SparseAutoencoder)
}

GROUP = "Interventions"
"""The "type" of a tuple of interventions."""


@cache
def converter() -> Converter:
    """The one converter: unknown keys are errors, a union of interventions carries a "type" tag."""
    from cattrs import Converter
    from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
    from cattrs.strategies import configure_tagged_union

    made = Converter(forbid_extra_keys=True)
    made.register_unstructure_hook(TensorRef, make_dict_unstructure_fn(TensorRef, made, value=override(omit=True)))
    made.register_structure_hook(TensorRef, make_dict_structure_fn(TensorRef, made, value=override(omit=True)))
    configure_tagged_union(Intervention, made, tag_name="type")
    return made


def to_dict(value: Any) -> dict[str, Any]:
    """A value as plain JSON data with its "type"; a tuple of interventions is of type "Interventions"."""
    if isinstance(value, tuple | list):
        return {"type": GROUP, "items": [to_dict(item) for item in value]}
    return {"type": type(value).__name__, **converter().unstructure(value, type(value))}


def from_dict(data: Mapping[str, Any]) -> Any:
    """The value that `to_dict` described.

    Raises:
        SpecError: a key that the type does not have, a value that fails its validation.
        UnknownNameError: a "type" that does not exist.
    """
    rest = dict(data)
    name = str(rest.pop("type", ""))
    if name == GROUP:
        return tuple(structure(item, Intervention) for item in rest.get("items", ()))
    if name not in _TYPES:
        raise unknown("type", name, (*_TYPES, GROUP), 'every value carries a "type" key')
    return structure(rest, _TYPES[name])


def structure(data: object, kind: Any) -> Any:
    """`data` as a value of `kind`; what is wrong with it, in words, as one SpecError."""
    from cattrs import transform_error
    from cattrs.errors import BaseValidationError

    try:
        return converter().structure(data, kind)
    except BaseValidationError as error:
        problems = transform_error(error, format_exception=_describe)
        raise SpecError(f"not a valid {getattr(kind, '__name__', 'intervention')}: " + "; ".join(problems)) from error


def _describe(error: BaseException, kind: type | None) -> str:
    """What is wrong, in the words of whoever noticed."""
    from cattrs.v import format_exception

    return str(error) if type(error) in (SpecError, ValueError) else format_exception(error, kind)


def canonical(data: object) -> str:
    """JSON text with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_hash(value: Any) -> str:
    """SHA-256 of a value's canonical JSON; tensors enter by their own digest."""
    return hashlib.sha256(canonical(to_dict(value)).encode()).hexdigest()


def references(value: Any) -> Iterator[TensorRef]:
    """Every tensor reference inside a value."""
    if isinstance(value, TensorRef):
        yield value
    elif attrs.has(type(value)):
        for attribute in attrs.fields(type(value)):
            yield from references(getattr(value, attribute.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from references(item)


def bind(value: Any, tensors: Mapping[str, Tensor]) -> Any:
    """`value` with every tensor reference bound to the tensor of its digest, where one is given."""
    if isinstance(value, TensorRef):
        return value.bind(tensors[value.digest]) if value.digest in tensors else value
    if isinstance(value, tuple):
        return type(value)(bind(item, tensors) for item in value)
    if attrs.has(type(value)):
        names = [attribute.name for attribute in attrs.fields(type(value))]
        return attrs.evolve(value, **{name: bind(getattr(value, name), tensors) for name in names})
    return value


def save_spec(value: Any, path: str | Path) -> Path:
    """Write a value as JSON, its tensors as safetensors of the same name beside it."""
    from safetensors.torch import save_file

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {ref.digest: ref.tensor().contiguous() for ref in references(value)}
    if tensors:
        save_file(tensors, path.with_suffix(".safetensors"))
    path.write_text(json.dumps(to_dict(value), indent=2, ensure_ascii=False) + "\n")
    return path


def load_spec(path: str | Path) -> Any:
    """Read what `save_spec` wrote, tensors bound and checked against their digests.

    Raises:
        SpecError: the file is missing, is no JSON, or does not describe a value.
    """
    from safetensors.torch import load_file

    path = Path(path)
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SpecError(f"cannot read the spec {path}: {error}") from error
    beside = path.with_suffix(".safetensors")
    return bind(from_dict(data), load_file(beside) if beside.exists() else {})
