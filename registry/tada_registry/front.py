"""Lookup by name: the functions most programs start with."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tada_core.entry import Entry
from tada_core.errors import SpecError, TadaError, unknown
from tada_registry.plugin import Plugin, installed_plugins
from tada_registry.record import Record
from tada_registry.registry import registry

if TYPE_CHECKING:
    from tada_core import Artifact, Concept, Impact, Metric, ModelAdapter, SteeringMethod
    from tada_core.interference.interference import Interference

_CONTRACTS = {
    "model": "tada_core.adapter:ModelAdapter",
    "method": "tada_core.method:SteeringMethod",
    "metric": "tada_core.metric:Metric",
    "concept": "tada_core.concept:Concept",
}


def load_model(name: str, source: str | None = None, **options: Any) -> ModelAdapter:
    """Load a model.

    Args:
        name: a registered model.
        source: folder or hub id of its weights; None for its own default.
        options: what this adapter's `load` takes; `dtype` may be a name such as "bfloat16".

    Raises:
        UnknownNameError, MissingExtraError, TadaError: as `Registry.load`; no such option or dtype.
        CheckpointError: the weights are missing or incomplete.
    """
    load = _class("model", name).load
    _known(f"option of model '{name}'", options, inspect.signature(load))
    if isinstance(options.get("dtype"), str):
        options["dtype"] = _dtype(options["dtype"])
    model: ModelAdapter = load(source, **options)
    return model


def get_method(name: str, **options: Any) -> SteeringMethod:
    """A steering method; `options` are its fields.

    Raises:
        UnknownNameError: no such method, or no such option.
        SpecError: an option is missing or invalid.
    """
    method: SteeringMethod = _made("method", name, options)
    return method


def get_metric(name: str, **options: Any) -> Metric:
    """A metric; `options` are its fields. Raises as `get_method`."""
    metric: Metric = _made("metric", name, options)
    return metric


def get_concept(name: str) -> Concept:
    """A concept: its templates, prompts and queries. Raises as `Registry.load`."""
    concept: Concept = registry().load("concept", name)
    if not isinstance(concept, _contract("concept")):
        raise TadaError(f"concept '{name}' ({_owner('concept', name)}) is no tada_core.Concept")
    return concept


def get_suite(name: str) -> Any:
    """A benchmark suite (a `tada_bench.Suite`). Raises as `Registry.load`."""
    return registry().load("suite", name)


def load_artifact(source: str | Path) -> Artifact:
    """Read what a method fitted, from a folder or a hub id, as that method's own artefact class.

    Raises:
        ArtifactError: nothing there, or damaged.
        UnknownNameError: the method that made it is not installed.
    """
    from tada_core.artifact import Artifact, fetch, read_config

    folder = fetch(source)
    name = read_config(folder)["method"]
    kind = getattr(_class("method", name), "artifact", None)
    if not (isinstance(kind, type) and issubclass(kind, Artifact)):
        raise TadaError(f"method '{name}' ({_owner('method', name)}) names no Artifact class in its `artifact`")
    return kind.from_pretrained(folder)


def localize(model: ModelAdapter, concept: Concept, readout: Metric | None = None, **options: Any) -> Impact:
    """How much of a concept each layer carries; see `tada_core.localize`. The default readout is `probes`."""
    import tada_core

    return tada_core.localize(model, concept, readout or get_metric("probes"), **options)


def calibrate(model: ModelAdapter, artifact: Artifact, metric: Metric | None = None, **options: Any) -> Artifact:
    """The artefact with its dose scale measured; see `tada_core.calibrate`. The default metric is `spectral`."""
    import tada_core

    return tada_core.calibrate(model, artifact, metric or get_metric("spectral"), **options)


def interference(
    model: ModelAdapter, artifacts: Sequence[Artifact], readout: Metric | None = None, **options: Any
) -> Interference:
    """How several artefacts disturb each other, by default as `probes` hear it; see `tada_core.interference`."""
    from tada_core.interference.composition import interference as measure

    return measure(model, artifacts, readout or get_metric("probes"), **options)


def entries(kind: str | None = None) -> tuple[Entry, ...]:
    """Everything usable by name, of one kind or of all."""
    return registry().entries(kind)


def records() -> tuple[Record, ...]:
    """Every entry and every problem, in order of discovery: what `tada plugins` lists."""
    return tuple(registry().records)


def problems() -> tuple[Record, ...]:
    """Entries and plugins that cannot be used, each with its reason."""
    return registry().problems()


def plugins() -> tuple[Plugin, ...]:
    """Every installed plugin, whether it could be loaded or not."""
    return installed_plugins()


def _made(kind: str, name: str, options: Mapping[str, Any]) -> Any:
    made = _class(kind, name)
    signature = inspect.signature(made)
    _known(f"option of {kind} '{name}'", options, signature)
    try:
        signature.bind(**options)
    except TypeError as error:
        raise SpecError(f"{kind} '{name}': {error}") from error
    try:
        return made(**options)
    except TadaError:
        raise
    except (ValueError, TypeError) as error:
        raise SpecError(f"{kind} '{name}': {error.args[0]}") from error


def _known(what: str, options: Iterable[str], signature: inspect.Signature) -> None:
    """Refuse options that a function does not have."""
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values()):
        return
    for option in options:
        if option not in signature.parameters:
            raise unknown(what, option, signature.parameters)


def _dtype(name: str) -> Any:
    """The torch dtype of a name."""
    import torch

    floats = {key: value for key, value in vars(torch).items() if getattr(value, "is_floating_point", False) is True}
    if name not in floats:
        raise unknown("dtype", name, ("float32", "bfloat16", "float16"))
    return floats[name]


def _class(kind: str, name: str) -> Any:
    made, contract = registry().load(kind, name), _contract(kind)
    if not (isinstance(made, type) and issubclass(made, contract)):
        raise TadaError(f"{kind} '{name}' ({_owner(kind, name)}) is no tada_core.{contract.__name__} class")
    return made


def _contract(kind: str) -> type:
    module, _, attribute = _CONTRACTS[kind].partition(":")
    contract: type = getattr(import_module(module), attribute)
    return contract


def _owner(kind: str, name: str) -> str:
    plugin = registry().record(kind, name).plugin
    return f"plugin '{plugin.name}' of {plugin.distribution}"
