"""Steering through features of sparse autoencoders (TADA sect. 4): those that fire on one side of a concept.

Differs from the paper: strength counts in units of the activation's norm by default ("raw" is the paper's own), and an
artefact carries over to another number of steps by interpolation along the trajectory. Where no trained autoencoders
are named it trains small ones on the concept's own clips.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

from attrs import evolve, field, fields, frozen, validators
from torch import Tensor, device

from tada_core import Artifact, Concept, ModelAdapter, Settings, SparseAutoencoder
from tada_core.contrast import Found
from tada_core.contrastive import ContrastiveMethod, common_width
from tada_core.direction import difference
from tada_core.errors import ArtifactError, SpecError
from tada_core.maths.sae import feature_vector
from tada_core.progress import Progress
from tada_sae import source
from tada_sae.artifact import WEIGHTS, SAEArtifact, held
from tada_sae.features import Activations, Kind, Score, Weights, weigh
from tada_sae.pairs import train_on
from tada_sae.prompts import SIDES
from tada_sae.settings import Spec, StreamSettings, TrainerSettings, TrainSettings

Mode = Literal["vector", "edit", "multiplicative"]
WARMUP, BUFFER = 20, 8192
_at_least_one = validators.ge(1)


def _by_layer(given: object) -> tuple[tuple[int, SparseAutoencoder], ...]:
    pairs = given.items() if isinstance(given, Mapping) else given
    try:
        made = tuple(sorted((int(layer), sae) for layer, sae in pairs))  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        made = ((0, None),)
    if not all(isinstance(sae, SparseAutoencoder) for _, sae in made):
        raise SpecError("autoencoders must be SparseAutoencoder values by layer; name a folder with `source` instead")
    return made


@frozen
class SAE(ContrastiveMethod):
    """Sparse features.

    Attributes:
        pairs: how many of the concept's prompts to contrast (50, as for TADA's CAA).
        source: folder of trained autoencoders, one sub-folder per layer (see `tada_sae.source`); "" trains small ones.
        score: what makes a feature one of the concept (published: "tfidf"); see `features.Score`.
        activations: before TopK ("dense", published code), or what it keeps ("topk").
        top: features chosen per layer and step (published: 5 to 20 in v1, up to 500 in v2).
        weights: of the chosen features (published: "uniform"); see `features.Weights`. All but "contrastive" choose
            features of the positive side only; a negative strength takes them away.
        per_step: choose for every step (published), or once for all.
        mode: "vector" adds the sum of the features' decoder rows (published); "edit" encodes, adds to the features and
            decodes, "multiplicative" multiplies them, both keeping the reconstruction error.
        renorm: of mode "vector": scale every frame back to its norm after adding (v2: yes, v1: no).
        expansion, k: of small autoencoders: features per feature of the layer, features kept (published at layer 6: 2,
            32; at layer 7: 4, 64).
        rate, batch, every, epochs: of their training: learning rate, tokens per batch, every n-th step is read
            (published: the 6th of 30), how often each token is met (published: 10 or 15).
        autoencoders: trained ones by layer, in the place of `source`.
    """

    name: ClassVar[str] = "sae"
    artifact: ClassVar[type[Artifact]] = SAEArtifact

    pairs: int = field(default=50, validator=_at_least_one)
    source: str = ""
    score: Score = field(default="tfidf", validator=validators.in_(get_args(Score)))
    activations: Kind = field(default="dense", validator=validators.in_(get_args(Kind)))
    top: int = field(default=20, validator=_at_least_one)
    weights: Weights = field(default="uniform", validator=validators.in_(get_args(Weights)))
    per_step: bool = True
    mode: Mode = field(default="vector", validator=validators.in_(get_args(Mode)))
    renorm: bool = True
    expansion: int = field(default=2, validator=_at_least_one)
    k: int = field(default=32, validator=_at_least_one)
    rate: float = field(default=3e-3, validator=validators.gt(0.0))
    batch: int = field(default=128, validator=validators.ge(2))
    every: int = field(default=6, validator=_at_least_one)
    epochs: int = field(default=4, validator=_at_least_one)
    autoencoders: tuple[tuple[int, SparseAutoencoder], ...] = field(default=(), converter=_by_layer, repr=False)

    @property
    def statistic(self) -> Activations:
        """Mean activations of the features of `autoencoders`."""
        return Activations(self.autoencoders, self.activations)

    def check(self, model: ModelAdapter, layers: tuple[int, ...]) -> None:
        """Refuse autoencoders that are not these layers'.

        Raises:
            ArtifactError: one is missing, or of another width.
            SpecError: two places to take them from, or more features kept than there are.
        """
        if self.autoencoders and self.source:
            raise SpecError("both autoencoders and a source were given; leave one of them out")
        chosen = [model.layer(layer) for layer in layers]
        if self.source:
            source.check(Path(self.source), model, chosen)
            return
        given = dict(self.autoencoders)
        for layer in chosen:
            if not given:
                self._spec(layer.index).features(layer.width)
            elif layer.index not in given:
                raise ArtifactError(f"no autoencoder of layer {layer.index} was given; there are {list(given)}")
            else:
                source.check_width(given[layer.index].decoder.shape[1], layer, "the autoencoder given")

    def preparation(self, pairs: int, seeds: int) -> int:
        """Clips that the small autoencoders are trained on."""
        return 0 if self.source or self.autoencoders else len(SIDES) * pairs * seeds

    def prepared(
        self,
        model: ModelAdapter,
        concept: Concept,
        layers: tuple[int, ...],
        seeds: Sequence[int],
        progress: Progress | None = None,
    ) -> Self:
        """With the autoencoders of these layers, where the model is."""
        where = next(model.denoiser.parameters()).device
        if self.autoencoders:
            found = {layer: sae for layer, sae in self.autoencoders if layer in layers}
        elif self.source:
            found = source.read(Path(self.source), map(model.layer, layers))
        else:
            settings = self._training(concept.sung(model), seeds, str(where))
            found = train_on(model, concept, [self._spec(layer) for layer in layers], settings, self.epochs, progress)
        return evolve(self, autoencoders={layer: _moved(sae, where) for layer, sae in found.items()})

    def _spec(self, layer: int) -> Spec:
        return Spec(layer, self.expansion, self.k)

    def _training(self, settings: Settings, seeds: Sequence[int], where: str) -> TrainSettings:
        return TrainSettings(
            TrainerSettings(rate=self.rate, warmup=WARMUP, batch=self.batch, device=where),
            StreamSettings(every=self.every, seeds=tuple(seeds), buffer=max(BUFFER, self.batch), settings=settings),
        )

    def learn(
        self, model: ModelAdapter, concept: Concept, layers: tuple[int, ...], found: Found, about: dict[str, Any]
    ) -> SAEArtifact:
        """The features of the largest scores, and their sum."""
        given = dict(self.autoencoders)
        own = {one.name: getattr(self, one.name) for one in fields(type(self)) if one.name != "autoencoders"}
        return SAEArtifact(
            model=model.name,
            width=common_width(model, layers),
            concept=concept,
            layers=layers,
            steps=len(next(iter(found.values()))),
            options=own | about,
            tensors={
                name: tensor for layer in layers for name, tensor in self._learned(layer, found[layer], given[layer])
            },
        )

    def _learned(self, layer: int, means: Tensor, sae: SparseAutoencoder) -> Iterator[tuple[str, Tensor]]:
        """The tensors of a layer, see `SAEArtifact`."""
        means = means if self.per_step else means.mean(0, keepdim=True)
        difference(means)  # refuses sides that read alike
        weights, scores = weigh(means, self.score, self.top, self.weights)
        chosen = weights.any(dim=0).nonzero().squeeze(1)
        vector = feature_vector(sae.decoder.tensor().cpu().float(), chosen, weights[:, chosen])
        if not vector.any(dim=-1).all():
            raise SpecError(
                f"no feature of layer {layer} stands for one side alone: both sides share their {self.top} strongest, "
                "or none is active; ask for fewer (`top`), or for another `score`"
            )
        yield f"layer.{layer}", vector
        table = {"features": chosen, "weights": weights[:, chosen], "scores": scores[:, chosen]}
        weighed = table | {"means": means[..., chosen]} | ({} if self.mode == "vector" else held(sae))
        yield from ((f"layer.{layer}.{name}", tensor) for name, tensor in weighed.items())


def _moved(sae: SparseAutoencoder, where: device) -> SparseAutoencoder:
    """The same weights on another device."""
    refs = {name: getattr(sae, name) for name in WEIGHTS}
    return evolve(sae, **{name: evolve(ref, value=ref.tensor().to(where)) for name, ref in refs.items()})
