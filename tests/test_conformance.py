"""Every registered model, method and metric passes the conformance suites; the suites catch those that should not."""

from pathlib import Path

import numpy as np
import pytest
import tiny
from attrs import evolve
from models.cases import SMALL
from quick import QUICK

import tada_registry as tada
from tada_caa.caa import CAA, CAAArtifact
from tada_core import Concept, Metric, SteeringMethod
from tada_core.errors import CheckpointError
from tada_core.testing import check_checkpoint, check_method, check_metric, check_model
from tada_etude.adapter import Etude

SPEED = Concept(
    name="speed",
    positive="fast {p}",
    negative="slow {p}",
    prompts=("a song", "a tune"),
    evaluation=("the song",),
    probe="tempo",
    queries={"listener": "a fast tune"},
)


def names(kind):
    return [entry.name for entry in tada.entries(kind) if entry.installed]


def test_the_embedded_model_conforms():
    check_model(tada.load_model("etude"))
    check_checkpoint(Etude, Etude.source)


# The Brownian tree of Stable Audio Open's scheduler is asked for times outside its ends by a rounding error.
@pytest.mark.filterwarnings("ignore:Should have t:UserWarning")
@pytest.mark.parametrize("name", SMALL)
def test_every_model_conforms(shelf, name):
    check_model(shelf.load(name), "a calm tune", SMALL[name].other, SMALL[name].settings)


@pytest.mark.parametrize("name", SMALL)
def test_every_model_needs_its_folder_whole(shelf, name):
    check_checkpoint(SMALL[name].adapter, shelf.folder(name))


def test_there_is_a_small_instance_of_every_registered_model():
    assert {entry.name for entry in tada.entries("model")} == {"etude", *(one.adapter.name for one in SMALL.values())}


@pytest.mark.parametrize("name", names("method"))
def test_every_method_conforms(name, model):
    check_method(tada.get_method(name, **QUICK.get(name, {})), model, SPEED)


# Their weights are downloaded; the files named here check them on random weights of the real classes.
ELSEWHERE = {
    "test_clap.py": ("clap", "lpaps", "lpaps-channels"),
    "test_muq.py": ("muq",),
    "test_aesthetics.py": ("aesthetics", *(f"aesthetics-{axis}" for axis in ("ce", "cu", "pc", "pq"))),
}
OWN = [name for name in names("metric") if name not in sum(ELSEWHERE.values(), ())]


@pytest.mark.parametrize("file", ELSEWHERE)
def test_metrics_with_downloaded_weights_are_checked_elsewhere(file):
    assert "check_metric" in (Path(__file__).parent / file).read_text()


@pytest.mark.parametrize("name", OWN)
def test_every_metric_conforms(name):
    check_metric(tada.get_metric(name), SPEED)


@pytest.mark.parametrize("name", names("concept"))
def test_every_concept_is_named_as_it_is_registered(name):
    assert tada.get_concept(name).name == name


class Wrong(Metric):
    name, kind, unit = "wrong", "quality", "none"

    def __init__(self, score):
        self._score = score

    def score(self, clips, against=None):
        return self._score(clips)


@pytest.mark.parametrize(
    ("score", "rule"),
    [
        (lambda clips: np.zeros(1), "scores of shape"),
        (lambda clips: [0.0] * len(clips), "float64 array"),
        (lambda clips: np.full(len(clips), np.nan), "not a finite number"),
        (lambda clips: np.random.default_rng().random(len(clips)), "get other scores"),
        (lambda clips: np.full(len(clips), float(len(clips))), "depends on the clips beside it"),
    ],
)
def test_a_wrong_metric_is_caught(score, rule):
    with pytest.raises(AssertionError, match=rule):
        check_metric(Wrong(score))


class Distance(Wrong):
    kind = "preservation"


def test_a_distance_that_is_no_distance_is_caught():
    with pytest.raises(AssertionError, match="not at distance 0 from itself"):
        check_metric(Distance(lambda clips: np.ones(len(clips))))


class Restless(CAAArtifact):
    """Steers even at strength zero."""

    method = "restless"

    def interventions(self, strength, unit):
        return super().interventions(strength + 1, unit)


class Idle(CAAArtifact):
    """Never steers."""

    method = "idle"

    def interventions(self, strength, unit):
        return super().interventions(0.0, unit)


@pytest.mark.parametrize(
    ("kind", "rule"), [(Restless, "strength 0 changes the clip"), (Idle, "does not change the clip")]
)
def test_a_wrong_method_is_caught(kind, rule, model):
    class Method(SteeringMethod):
        name, artifact = kind.method, kind

        def fit(self, model, concept, layers=None, seeds=(0,), progress=None):
            made = CAA().fit(model, concept, layers, seeds)
            return kind(
                made.model, made.width, made.concept, made.layers, made.steps, made.options, made.tensors, made.dose
            )

    with pytest.raises(AssertionError, match=rule):
        check_method(Method(), model, SPEED)


def test_the_small_model_conforms(model):
    check_model(model, "a calm song", "the fast drums")


def test_a_layer_table_that_names_nothing_is_caught(model, monkeypatch):
    wrong = (*model.layers[:2], evolve(model.layers[2], path="transformer_blocks.9.attn2"))
    monkeypatch.setattr(model, "layers", wrong)
    with pytest.raises(AssertionError, match=r"layer 2 names 'transformer_blocks.9.attn2' for slot 'text'"):
        check_model(model)


def test_a_model_that_does_not_hear_the_text_is_caught(model):
    with pytest.raises(AssertionError, match="the text does not reach the model"):
        check_model(model, "a calm song", "a calm song")


def test_a_folder_that_is_loaded_without_a_part_is_caught(tiny_folder):
    class Careless(tiny.Tiny):
        @classmethod
        def load(cls, source=None, **options):
            return super().load(str(tiny_folder), **options) if Path(source).is_dir() else super().load(source)

    with pytest.raises(AssertionError, match=r"a folder without 'model_index.json' is loaded all the same"):
        check_checkpoint(Careless, tiny_folder)


def test_a_folder_that_is_loaded_without_a_tensor_is_caught(tiny_folder):
    """An adapter that is content with what the library only warns of."""

    class Hopeful(tiny.Tiny):
        @classmethod
        def load(cls, source=None, **options):
            part = super().load
            try:
                return part(source, **options)
            except CheckpointError as error:
                if "of the tensors" not in str(error):
                    raise
                return part(str(tiny_folder))

    with pytest.raises(AssertionError, match=r"a folder without '.* of .*\.safetensors' is loaded all the same"):
        check_checkpoint(Hopeful, tiny_folder)


def test_a_folder_that_is_refused_with_any_error_is_caught(tiny_folder):
    class Blunt(tiny.Tiny):
        @classmethod
        def load(cls, source=None, **options):
            try:
                return super().load(source, **options)
            except CheckpointError as error:
                if "of the tensors" in str(error):
                    raise RuntimeError("size mismatch") from error
                raise

    with pytest.raises(AssertionError, match="load raises a RuntimeError, not a CheckpointError: size mismatch"):
        check_checkpoint(Blunt, tiny_folder)
