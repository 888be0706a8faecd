"""What a method learned: tensors, the conditions they were fitted under, and how to steer with them."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from attrs import evolve, field, frozen

from tada_core.concept import Concept
from tada_core.convert import ints
from tada_core.dose import DoseScale
from tada_core.errors import ArtifactError, DoseError, SpecError
from tada_core.interventions import Intervention
from tada_core.serial import converter, structure

if TYPE_CHECKING:
    from torch import Tensor

    from tada_core.adapter import ModelAdapter

FORMAT = 1
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
CONFIG, WEIGHTS, CARD = "config.json", "artifact.safetensors", "README.md"


@frozen(eq=False)
class Artifact(ABC):
    """Base of every fitted artefact; a method's subclass says how strength becomes interventions.

    Class attributes:
        method: registry name of the method.
        units: units of strength it understands, the default first. "norm" is a multiple of the activation's norm,
            "raw" the method's own number.
        grid: positive strengths, in the first unit, that calibration tries on both sides.
        weights: name of the file that holds the tensors, where another library expects one.

    Attributes:
        model: registry name of the model it was fitted on.
        width: features of the layers it touches (0 when it touches none).
        concept: the concept it steers.
        layers: the layers it acts on.
        steps: denoising steps it was fitted with.
        options: the method's options, plain JSON data.
        tensors: what was learned, by name.
        dose: calibrated dose scale, or None.
    """

    method: ClassVar[str]
    units: ClassVar[tuple[str, ...]] = ("norm", "raw")
    grid: ClassVar[tuple[float, ...]] = (0.25, 0.5, 1.0, 1.5, 2.0)
    weights: ClassVar[str] = WEIGHTS

    model: str
    width: int
    concept: Concept
    layers: tuple[int, ...] = field(converter=ints)
    steps: int
    options: Mapping[str, Any] = field(factory=dict)
    tensors: Mapping[str, Tensor] = field(factory=dict)
    dose: DoseScale | None = None

    @abstractmethod
    def interventions(self, strength: float, unit: str) -> tuple[Intervention, ...]:
        """The interventions of one strength in one of `units`."""

    def at(self, strength: float, unit: str | None = None) -> tuple[Intervention, ...]:
        """The interventions that steer by `strength`; 0 changes nothing, bit for bit.

        Args:
            strength: signed; positive is more of the concept.
            unit: one of `units` (default the first), or "dose" once calibrated.

        Raises:
            DoseError: the dose was not calibrated, or never reached.
            SpecError: a unit this method does not have.
        """
        if unit == "dose":
            if self.dose is None:
                raise DoseError(f"this {self.method} artefact has no dose yet; run tada_core.calibrate on it first")
            return self.interventions(self.dose.strength(strength), self.dose.unit)
        if unit is not None and unit not in self.units:
            raise SpecError(f"{self.method} has no unit '{unit}'; choose from {', '.join((*self.units, 'dose'))}")
        return self.interventions(float(strength), unit or self.units[0])

    def on(self, layers: Iterable[int]) -> Self:
        """The same artefact acting on some of its layers only.

        Raises:
            ArtifactError: a layer it was not fitted on.
        """
        chosen = tuple(sorted(set(layers)))
        if extra := set(chosen) - set(self.layers):
            raise ArtifactError(f"not fitted on layers {sorted(extra)}; it knows {list(self.layers)}")
        return evolve(self, layers=chosen, dose=None)

    def check(self, model: ModelAdapter) -> None:
        """Refuse a model this artefact was not made for.

        Raises:
            ArtifactError: another model, or layers of another width.
        """
        if model.name != self.model:
            raise ArtifactError(f"fitted on '{self.model}', not on '{model.name}'; fit it again on this model")
        known = {layer.index: layer.width for layer in model.layers}
        for layer in self.layers:
            if layer not in known or self.width not in (0, known[layer]):
                raise ArtifactError(
                    f"fitted on width {self.width} at layer {layer}, but the model has "
                    f"{known.get(layer, 'no such layer')}; fit it again on this checkpoint"
                )

    def save_pretrained(self, folder: str | Path) -> Path:
        """Write config.json, the tensors, a card and what `files` adds into `folder`."""
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.contiguous() for name, tensor in self.tensors.items()}, folder / self.weights)
        (folder / CONFIG).write_text(json.dumps(self.config(), indent=2, ensure_ascii=False) + "\n")
        (folder / CARD).write_text(self.card())
        for name, text in self.files().items():
            (folder / name).write_text(text)
        return folder

    def files(self) -> Mapping[str, str]:
        """Other files to save, text by name, for libraries that read the folder in their own way."""
        return {}

    def config(self) -> dict[str, Any]:
        """Everything but the tensors, as JSON data."""
        make = converter().unstructure
        return {
            "format": FORMAT,
            "method": self.method,
            "model": self.model,
            "width": self.width,
            "concept": make(self.concept, Concept),
            "layers": list(self.layers),
            "steps": self.steps,
            "options": dict(self.options),
            "dose": None if self.dose is None else make(self.dose, DoseScale),
        }

    def card(self) -> str:
        """A model card in Markdown: what it is and how to use it."""
        layers = ", ".join(map(str, self.layers)) or "none"
        return (
            f"---\nlibrary_name: tada\ntags: [steering, {self.method}, {self.model}]\n---\n"
            f"# {self.method}: {self.concept.name} on {self.model}\n\n"
            f"Steers from `{self.concept.negative}` to `{self.concept.positive}` at layers {layers}, "
            f"fitted with {self.steps} steps.\n\n"
            "```python\nimport tada_registry as tada\nfrom tada_core import Generation\n\n"
            f'model = tada.load_model("{self.model}")\nsteer = tada.load_artifact("path/to/this/folder")\n'
            f'clips = model.generate(Generation("a tune"), steer.at(0.5))\n```\n'
        )

    @classmethod
    def from_pretrained(cls, source: str | Path) -> Self:
        """Read an artefact from a folder, or from the hub when there is no such folder.

        Raises:
            ArtifactError: files are missing or damaged, or belong to another method or format.
        """
        from safetensors.torch import load_file

        folder = fetch(source)
        config = read_config(folder)
        if config["method"] != cls.method:
            raise ArtifactError(
                f"{folder} was made by '{config['method']}', not '{cls.method}'; use tada.load_artifact"
            )
        try:
            tensors = load_file(folder / cls.weights)
        except Exception as error:
            raise ArtifactError(f"cannot read {folder / cls.weights}: {error}") from error
        return cls(
            model=config["model"],
            width=config["width"],
            concept=structure(config["concept"], Concept),
            layers=config["layers"],
            steps=config["steps"],
            options=config["options"],
            tensors=tensors,
            dose=None if config["dose"] is None else structure(config["dose"], DoseScale),
        )

    def push_to_hub(self, repo: str, **options: Any) -> str:
        """Upload to the hub (`options` go to huggingface_hub.upload_folder); returns the commit's address."""
        import tempfile

        import huggingface_hub

        with tempfile.TemporaryDirectory() as folder:
            huggingface_hub.create_repo(repo, exist_ok=True)
            return str(
                huggingface_hub.upload_folder(repo_id=repo, folder_path=str(self.save_pretrained(folder)), **options)
            )


def fetch(source: str | Path) -> Path:
    """A local folder for `source`: the folder itself, or a snapshot of that hub id.

    Raises:
        ArtifactError: neither exists.
    """
    if Path(source).is_dir():
        return Path(source)
    if not _HUB_ID.fullmatch(str(source)):
        raise ArtifactError(f"no folder '{source}', and no hub id (owner/name) either; fit one with `tada fit`")
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(str(source)))
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise ArtifactError(f"no folder and no reachable hub repository called '{source}': {reason}") from error


def read_config(folder: Path) -> dict[str, Any]:
    """The config of a saved artefact.

    Raises:
        ArtifactError: it is missing, damaged, of another format, or lacks keys.
    """
    try:
        config = json.loads((folder / CONFIG).read_text())
    except (OSError, ValueError) as error:
        raise ArtifactError(f"cannot read {folder / CONFIG}: {error}") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ArtifactError(f"{folder / CONFIG} is not an artefact of format {FORMAT}")
    if missing := {"method", "model", "width", "concept", "layers", "steps", "options", "dose"} - config.keys():
        raise ArtifactError(f"{folder / CONFIG} lacks {', '.join(sorted(missing))}")
    return config
