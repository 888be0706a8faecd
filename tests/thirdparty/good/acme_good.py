"""A plugin that does everything right: one entry of every kind."""

from tada_core import Artifact, Concept, Entry, Metric, ModelAdapter, ShiftPrompt, SteeringMethod, hookimpl


class NudgeArtifact(Artifact):
    method = "acme-nudge"
    units = ("raw",)

    def interventions(self, strength, unit):
        return (ShiftPrompt(self.concept.positive, self.concept.negative, strength),)


class Nudge(SteeringMethod):
    name = "acme-nudge"
    artifact = NudgeArtifact

    def fit(self, model, concept, layers=None, seeds=(0,), progress=None):
        return NudgeArtifact(model=model.name, width=0, concept=concept, layers=(), steps=model.defaults.steps)


class Peak(Metric):
    name = "acme-peak"
    kind = "quality"
    unit = "full scale"

    def score(self, clips, against=None):
        import numpy

        return numpy.array([float(clip.samples.abs().max()) for clip in clips])


class Silence(ModelAdapter):
    name = "acme-silence"

    @classmethod
    def load(cls, source=None, **options):
        raise NotImplementedError


LOUDNESS = Concept("acme-loudness", "{p}, loud", "{p}, quiet", prompts=("a tune",), evaluation=("a song",))
SUITE = "a suite"


def hello() -> None:
    """Say hello."""
    print("hello from acme")


@hookimpl
def tada_models():
    return [Entry("model", "acme-silence", "acme_good:Silence", "Silence.")]


@hookimpl
def tada_methods():
    return [Entry("method", "acme-nudge", "acme_good:Nudge", "Moves the prompt.", licence="MIT")]


@hookimpl
def tada_metrics():
    return [Entry("metric", "acme-peak", "acme_good:Peak", "Highest sample.")]


@hookimpl
def tada_concepts():
    return [Entry("concept", "acme-loudness", "acme_good:LOUDNESS", "Loud against quiet.")]


@hookimpl
def tada_suites():
    return [Entry("suite", "acme-suite", "acme_good:SUITE", "A suite.")]


@hookimpl
def tada_commands():
    return [Entry("command", "acme-hello", "acme_good:hello", "Say hello.")]
