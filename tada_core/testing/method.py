"""What every steering method must do."""

from __future__ import annotations

from tempfile import TemporaryDirectory

import torch
from attrs import evolve

from tada_core.adapter import ModelAdapter
from tada_core.artifact import Artifact
from tada_core.concept import Concept
from tada_core.engine.run import run
from tada_core.errors import SpecError
from tada_core.generation import Row
from tada_core.method import SteeringMethod
from tada_core.serial import from_dict, to_dict


def check_method(method: SteeringMethod, model: ModelAdapter, concept: Concept) -> None:
    """Check that a method fits, steers, does nothing at strength zero, and survives saving.

    Args:
        method: the method, its options set.
        model: a loaded adapter.
        concept: the concept to fit; two of its prompts are used.

    Raises:
        AssertionError: a rule is broken.
    """
    small = evolve(concept, prompts=concept.prompts[:2])
    artifact = method.fit(model, small)
    assert type(artifact) is method.artifact, (
        f"fit gave {type(artifact).__name__}, not `artifact` of the method's class"
    )
    assert artifact.method == method.name, f"the artefact names '{artifact.method}', the method '{method.name}'"
    assert (artifact.model, artifact.concept) == (model.name, small), "the artefact names another model or concept"
    artifact.check(model)
    _check_units(artifact)
    _check_steering(artifact, model)
    _check_saving(artifact)


def _check_units(artifact: Artifact) -> None:
    assert artifact.units, "an artefact needs at least one unit of strength"
    try:
        artifact.at(1.0, "no such unit")
    except SpecError:
        return
    raise AssertionError("a unit that does not exist was accepted")


def _check_steering(artifact: Artifact, model: ModelAdapter) -> None:
    row, strength = Row(artifact.concept.prompts[0], template=artifact.concept.neutral), artifact.grid[-1]
    changed = artifact.at(strength)
    assert changed, f"strength {strength:g} gives no intervention"
    assert tuple(from_dict(to_dict(item)) for item in changed) == changed, "the interventions do not survive JSON"
    # One row a run: in a batch a longer text of a mate moves the rounding.
    plain, zero, more, less = (
        run(model, [evolve(row, interventions=edit)])[0].latents
        for edit in ((), artifact.at(0.0), changed, artifact.at(-strength))
    )
    assert torch.equal(plain, zero), "strength 0 changes the clip"
    for sign, steered in ((strength, more), (-strength, less)):
        assert not torch.equal(plain, steered), f"strength {sign:g} does not change the clip"
    assert not torch.equal(more, less), f"strengths {strength:g} and {-strength:g} give the same clip"


def _check_saving(artifact: Artifact) -> None:
    with TemporaryDirectory() as folder:
        again = type(artifact).from_pretrained(artifact.save_pretrained(folder))
    assert again.config() == artifact.config(), "the configuration changes by saving and loading"
    assert again.tensors.keys() == artifact.tensors.keys(), "saving loses tensors"
    for name, tensor in artifact.tensors.items():
        assert torch.equal(again.tensors[name], tensor), f"tensor '{name}' changes by saving and loading"
    assert again.at(1.0) == artifact.at(1.0), "the loaded artefact steers differently"
