"""What a run needs from outside: things by name, and the engine. Tests hand in small ones of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tada_core import Artifact, Clip, Concept, Impact, Metric, ModelAdapter, Row, SteeringMethod


class Tools(Protocol):
    """Lookup by name, localisation and generation."""

    def load_model(self, name: str, source: str | None = None, **options: Any) -> ModelAdapter:
        """A loaded model."""

    def get_concept(self, name: str) -> Concept:
        """A concept."""

    def get_method(self, name: str, **options: Any) -> SteeringMethod:
        """A method with its options."""

    def get_metric(self, name: str) -> Metric:
        """A metric."""

    def fit_together(self, methods: Sequence[Any], *given: Any) -> list[Artifact]:
        """Artefacts of several methods fitted on the same clips, as `tada_core.contrastive.fit_together`."""

    def calibrate(self, model: ModelAdapter, artifact: Artifact, metric: Metric, **options: Any) -> Artifact:
        """The artefact with its dose scale; options as `tada_core.calibrate`."""

    def load_artifact(self, source: Path) -> Artifact:
        """A fitted artefact read from its folder."""

    def localize(self, model: ModelAdapter, concept: Concept, readout: Metric, **options: Any) -> Impact:
        """Impact of every layer; options as `tada_core.localize`."""

    def read_impact(self, text: str) -> Impact:
        """An impact from its JSON."""

    def run(
        self, model: ModelAdapter, rows: Sequence[Row], *, progress: Callable[[int, int], None] | None = None
    ) -> Sequence[Clip]:
        """One clip per row, all in one batch where memory allows."""


class Installed:
    """The installed plugins and the real engine."""

    def load_model(self, name: str, source: str | None = None, **options: Any) -> ModelAdapter:
        """See `tada_registry.load_model`."""
        import tada_registry

        return tada_registry.load_model(name, source, **options)

    def get_concept(self, name: str) -> Concept:
        """See `tada_registry.get_concept`."""
        import tada_registry

        return tada_registry.get_concept(name)

    def get_method(self, name: str, **options: Any) -> SteeringMethod:
        """See `tada_registry.get_method`."""
        import tada_registry

        return tada_registry.get_method(name, **options)

    def get_metric(self, name: str) -> Metric:
        """See `tada_registry.get_metric`."""
        import tada_registry

        return tada_registry.get_metric(name)

    def fit_together(self, methods: Sequence[Any], *given: Any) -> list[Artifact]:
        """See `tada_core.contrastive.fit_together`."""
        from tada_core.contrastive import fit_together

        return fit_together(methods, *given)

    def calibrate(self, model: ModelAdapter, artifact: Artifact, metric: Metric, **options: Any) -> Artifact:
        """See `tada_core.calibrate`."""
        import tada_core

        return tada_core.calibrate(model, artifact, metric, **options)

    def load_artifact(self, source: Path) -> Artifact:
        """See `tada_registry.load_artifact`."""
        import tada_registry

        return tada_registry.load_artifact(source)

    def localize(self, model: ModelAdapter, concept: Concept, readout: Metric, **options: Any) -> Impact:
        """See `tada_core.localize`."""
        import tada_core

        return tada_core.localize(model, concept, readout, **options)

    def read_impact(self, text: str) -> Impact:
        """See `tada_core.Impact.from_json`."""
        from tada_core.localization.impact import Impact

        return Impact.from_json(text)

    def run(
        self, model: ModelAdapter, rows: Sequence[Row], *, progress: Callable[[int, int], None] | None = None
    ) -> Sequence[Clip]:
        """See `tada_core.run`."""
        import tada_core

        return tada_core.run(model, rows, batch_size=len(rows), progress=progress)
