"""The method of sparse features: scores, the choice, the three ways to steer, trained and own autoencoders."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from attrs import evolve
from models.cases import Shelf

from tada_audioldm2.adapter import AudioLDM2
from tada_caa.caa import CAA
from tada_core import AddVector, Concept, Generation, Row, SAEDecodeAdd, Site, SparseAutoencoder, TensorRef, run
from tada_core.adapter import Call
from tada_core.contrast import Want, gather
from tada_core.contrastive import fit_together
from tada_core.engine.edits import Moment, kind_of, make_edit
from tada_core.errors import ArtifactError, SpecError
from tada_core.maths.add_vector import add_vector
from tada_core.maths.renorm import renorm
from tada_core.maths.sae import encode
from tada_core.testing import check_method
from tada_sae.artifact import SAEArtifact
from tada_sae.features import Activations, score, strongest, weigh
from tada_sae.formats import write_saelens, write_sparsify
from tada_sae.method import SAE

TEMPO = Concept("tempo", "fast {p}", "slow {p}", ("a calm song", "the organ tune"), ("the evening",))
SMALL: dict[str, Any] = {"k": 8, "epochs": 2, "batch": 16, "top": 3, "score": "difference"}
CALL = Call(1, 4, 0.5)


def orthonormal(width: int = 32, seed: int = 0, bias: float = 0.0, first: torch.Tensor | None = None) -> Any:
    """An autoencoder of `width` features that read and write one orthonormal direction each, and keeps them all."""
    start = torch.randn(width, width, generator=torch.Generator().manual_seed(seed))
    if first is not None:
        start[:, 0] = first
    rows = torch.linalg.qr(start)[0].T.contiguous()
    if first is not None and rows[0] @ first < 0:
        rows[0] = -rows[0]
    of = TensorRef.of
    zero = torch.zeros(width)
    return SparseAutoencoder(of(rows.T.contiguous()), of(zero + bias), of(rows), of(zero), k=width)


SAES = {layer: orthonormal(seed=layer) for layer in range(3)}


def applied(member: Any, h: torch.Tensor, call: Call = CALL) -> torch.Tensor:
    """What an intervention makes of one row."""
    return make_edit([0], [member], []).apply(h, [0], [member.strength], Moment(call, "cond"))


def prompts(model: tiny.Tiny, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    inner = model.sample
    monkeypatch.setattr(model, "sample", lambda batch: made.extend(batch.texts) or inner(batch))


# Scores and the choice


def test_scores_by_hand() -> None:
    means = torch.tensor([[[2.0, 0.0, 0.5], [1.0, 3.0, 0.0]]])
    expected = [2 * math.log(1 + 1 / 1.000001), 0.0, 0.5 * math.log(1 + 1e6)]
    assert score(means)[0].tolist() == pytest.approx(expected, rel=1e-5)
    assert score(means, "difference").tolist() == [[1.0, -3.0, 0.5]]
    assert score(means, "mean").tolist() == [[2.0, 0.0, 0.5]]


def test_the_strongest_are_of_every_step_and_above_zero() -> None:
    scores = torch.tensor([[1.0, 3.0, 3.0, 3.0], [-1.0, 0.0, 0.5, -2.0]])
    assert strongest(scores, 2).tolist() == [[0, 1, 1, 0], [0, 0, 1, 0]]
    assert strongest(scores, 9).tolist() == [[1, 1, 1, 1], [0, 0, 1, 0]]


def test_weights_by_hand() -> None:
    means = torch.tensor([[[4.0, 0.0, 3.0, 1.0], [1.0, 2.0, 2.0, 1.0]]])
    assert weigh(means, "difference", 2, "uniform")[0].tolist() == [[1, 0, 1, 0]]
    assert weigh(means, "difference", 2, "score")[0].tolist() == [[1.5, 0, 0.5, 0]]
    weights, scores = weigh(means, "difference", 1, "contrastive")
    assert weights.tolist() == [[1, -1, 0, 0]]
    assert scores.tolist() == [[3, -2, 1, 0]]


@pytest.mark.parametrize("kind", ["tfidf", "difference", "mean"])
def test_contrastive_weights_change_sign_with_the_sides(kind: Any) -> None:
    means = torch.rand(5, 2, 40, generator=torch.Generator().manual_seed(3))
    weights = weigh(means, kind, 7, "contrastive")[0]
    assert weights.any()
    assert torch.equal(weights, -weigh(means.flip(1), kind, 7, "contrastive")[0])


@pytest.mark.parametrize("kind", ["dense", "topk"])
def test_activations_are_means_over_frames_summed_over_pairs(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sae, h = evolve(SAES[0], k=5), torch.randn(2, 3, 7, 32, generator=torch.Generator().manual_seed(1))
    f = encode(
        h, sae.encoder.tensor(), sae.encoder_bias.tensor(), sae.decoder_bias.tensor(), 5 if kind == "topk" else 32
    )
    statistic = Activations(((4, sae),), kind)
    for entries in (2**24, 64):
        monkeypatch.setattr("tada_sae.features.ENTRIES", entries)
        assert torch.allclose(statistic.reduce(h[0], h[1], 4), f.mean(2).sum(1), atol=1e-5)


@pytest.mark.parametrize("kind", ["tfidf", "difference"])
def test_a_planted_feature_is_found(model: tiny.Tiny, kind: Any) -> None:
    rows, planted = SAES[1].decoder.tensor(), 17
    negative = torch.randn(4, 9, 32, generator=torch.Generator().manual_seed(2))
    negative -= (negative @ rows[planted]).clamp_min(0)[..., None] * rows[planted]
    method = SAE(autoencoders=SAES, top=1, score=kind)
    means = Activations(method.autoencoders).reduce(negative + 3 * rows[planted], negative, 1) / 4
    made = method.learn(model, TEMPO, (1,), {1: means[None]}, {})
    assert made.tensors["layer.1.features"].tolist() == [planted]
    assert torch.allclose(made.tensors["layer.1"][0], rows[planted])
    (row,) = made.features(1)
    assert row["feature"] == planted
    assert row["negative"] < 1e-6 < 1 < row["positive"]


def test_a_dictionary_with_the_direction_of_caa_in_it_gives_caa(model: tiny.Tiny) -> None:
    caa = CAA(pairs=2, per_step=False).fit(model, TEMPO, seeds=(0, 1))
    # So large a bias that no feature is cut off: activations are linear then.
    saes = {layer: orthonormal(bias=100.0, first=caa.tensors[f"layer.{layer}"]) for layer in range(3)}
    made = SAE(pairs=2, autoencoders=saes, top=1, score="difference", per_step=False).fit(model, TEMPO, seeds=(0, 1))
    for layer in range(3):
        assert made.tensors[f"layer.{layer}.features"].tolist() == [0]
        assert torch.allclose(made.tensors[f"layer.{layer}"][0], caa.tensors[f"layer.{layer}"], atol=1e-4)


def test_swapping_the_sides_turns_a_contrastive_artefact_around(model: tiny.Tiny) -> None:
    method = SAE(autoencoders=SAES, top=4, score="difference", weights="contrastive")
    there = method.fit(model, TEMPO)
    back = method.fit(model, evolve(TEMPO, positive=TEMPO.negative, negative=TEMPO.positive))
    for layer in range(3):
        vector = there.tensors[f"layer.{layer}"]
        assert vector.shape == (4, 32)
        assert torch.allclose(vector, -back.tensors[f"layer.{layer}"], atol=1e-5)


# The ways to steer


@pytest.mark.parametrize(("unit", "kept"), [("norm", True), ("raw", True), ("raw", False)])
def test_vector_mode_adds_the_sum_of_decoder_rows(model: tiny.Tiny, unit: Any, kept: bool) -> None:
    made = SAE(autoencoders=SAES, top=3, renorm=kept).fit(model, TEMPO, layers=(1,))
    (edit,) = made.at(0.7, unit)
    weights, chosen = made.tensors["layer.1.weights"], made.tensors["layer.1.features"]
    assert weights.sum(-1).tolist() == [3] * 4
    vector = weights @ SAES[1].decoder.tensor()[chosen]
    if unit == "norm":
        vector = vector / vector.norm(dim=-1, keepdim=True)
    by_hand = AddVector(Site("out", 1), TensorRef.of(vector), 0.7, unit, kept)
    a, b = (run(model, [Row("a song", interventions=(one,))])[0].latents for one in (edit, by_hand))
    assert torch.allclose(a, b, atol=1e-5)
    h = torch.randn(1, 5, 32)
    new = add_vector(h, vector[1], 0.7, unit)
    assert torch.allclose(applied(edit, h), renorm(new, h) if kept else new, atol=1e-5)


def test_multiplying_changes_exactly_the_chosen_feature() -> None:
    sae, h = SAES[0], torch.randn(1, 6, 32, generator=torch.Generator().manual_seed(4))
    member = SAEDecodeAdd(Site("out", 0), sae, (5,), (0.5,), 3.0, mode="multiplicative")
    before, after = (one @ sae.encoder.tensor() for one in (h, applied(member, h)))
    factor = torch.where(torch.arange(32) == 5, 2.5, 1.0)
    assert torch.allclose(after, torch.where(before > 0, before * factor, before), atol=1e-5)
    assert (before[..., 5] > 0).any()
    away = applied(evolve(member, strength=-9.0), h) @ sae.encoder.tensor()
    assert away[..., 5].max() < 1e-5


@pytest.mark.parametrize("mode", ["edit", "multiplicative"])
def test_a_strength_of_zero_keeps_every_number(mode: Any) -> None:
    member = SAEDecodeAdd(Site("out", 0), evolve(SAES[0], k=4), (5, 6), (0.5, -1.0), 0.0, mode=mode)
    h = torch.randn(1, 6, 32)
    assert torch.equal(applied(member, h), h)


def test_adding_in_units_of_the_norm_is_adding_so_much_to_the_feature() -> None:
    h = torch.randn(1, 6, 32, generator=torch.Generator().manual_seed(5))
    member = SAEDecodeAdd(Site("out", 0), SAES[0], (5,), (0.5,), 2.0, mode="edit", unit="norm")
    moved = (applied(member, h) - h) @ SAES[0].encoder.tensor()
    assert torch.allclose(moved[..., 5], h.norm(dim=-1), atol=1e-5)
    assert moved[..., :5].abs().max() < 1e-5


def test_a_profile_changes_the_weights_along_the_way() -> None:
    h, profile = torch.randn(1, 6, 32), torch.tensor([[1.0, 0.0], [3.0, 0.5]])
    moving = SAEDecodeAdd(Site("out", 0), SAES[0], (2, 9), (1.0, 2.0), 0.7, profile=TensorRef.of(profile))
    for mode in ("vector", "edit", "multiplicative"):
        for step, now in ((0, (1.0, 0.0)), (1, (2.0, 0.5)), (2, (3.0, 1.0))):
            still = evolve(moving, mode=mode, weights=now, profile=None)
            call = Call(step, 4, 0.5)
            assert torch.allclose(applied(evolve(moving, mode=mode), h, call), applied(still, h, call), atol=1e-5)
    with pytest.raises(SpecError, match=r"\[steps, 2\]"):
        evolve(moving, profile=TensorRef.of(torch.ones(4, 3)))


def test_edits_of_other_modes_and_units_are_not_computed_together() -> None:
    one = SAEDecodeAdd(Site("out", 0), SAES[0], (2,), (1.0,), 0.7, mode="edit")
    others = (evolve(one, mode="multiplicative"), evolve(one, unit="norm"), evolve(one, mode="vector"))
    assert len({kind_of(member) for member in (one, *others)}) == 4
    assert kind_of(evolve(one, mode="vector", unit="norm")) != kind_of(evolve(one, mode="vector"))


def test_rows_of_a_batch_do_not_depend_on_each_other(model: tiny.Tiny) -> None:
    made = SAE(autoencoders=SAES, mode="edit", **{"top": 3}).fit(model, TEMPO)
    rows = [Row("a song", seed, interventions=made.at(strength)) for seed, strength in ((0, 1.0), (1, -0.5), (2, 0.0))]
    for row, together in zip(rows, run(model, rows), strict=True):
        alone = run(model, [row])[0].latents
        assert (alone - together.latents).abs().max() <= 1e-4 * alone.abs().max()


@pytest.mark.parametrize("unit", ["norm", "raw"])
def test_editing_a_complete_dictionary_upwards_is_adding_the_vector(model: tiny.Tiny, unit: str) -> None:
    # Nothing goes below zero there, so encode, add, decode is adding; both signs need features that are on.
    edit, vector = (
        SAE(autoencoders=SAES, mode=mode, renorm=False, top=3).fit(model, TEMPO).at(0.5, unit)
        for mode in ("edit", "vector")
    )
    h = torch.randn(1, 6, 32)
    for one, other in zip(edit, vector, strict=True):
        assert torch.allclose(applied(one, h), applied(other, h), atol=1e-4)


# Where autoencoders come from


def test_own_autoencoders_are_the_same_for_the_same_seeds(model: tiny.Tiny) -> None:
    first, again, other = (SAE(**SMALL, mode="edit").fit(model, TEMPO, seeds=seeds) for seeds in ((0,), (0,), (1,)))
    assert first.config() == again.config()
    assert all(torch.equal(tensor, again.tensors[name]) for name, tensor in first.tensors.items())
    assert not torch.equal(first.tensors["layer.0.encoder"], other.tensors["layer.0.encoder"])


def test_own_autoencoders_are_trained_on_three_sides_and_progress_counts_them(
    model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    prompts(model, made, monkeypatch)
    seen: list[tuple[int, int]] = []
    ways = [(SAE(**SMALL), None), (CAA(), None)]
    fit_together(ways, model, evolve(TEMPO, prompts=TEMPO.prompts[:1]), (0, 1), lambda *now: seen.append(now))
    assert sorted(made[:6]) == sorted(["fast a calm song", "slow a calm song", "a calm song"] * 2)
    assert sorted(made[6:]) == sorted(["fast a calm song", "slow a calm song"] * 2)
    assert {total for _, total in seen} == {10}
    done = [count for count, _ in seen]
    assert done == sorted(done)
    assert done[-1] == 10


def test_training_learns_something(model: tiny.Tiny) -> None:
    """The trained autoencoder explains more of the activations than the one that training starts from."""
    from tada_sae.autoencoder import Autoencoder
    from tada_sae.figures import measure
    from tada_sae.stream import stream

    h = next(iter(stream(model, [[Row("the loud tune", 9), Row("a sad song", 10)]], (1,), 1)))[1]
    explained = []
    for epochs in (1, 30):
        ready = SAE(k=8, batch=64, every=1, epochs=epochs).prepared(model, TEMPO, (1,), (0,))
        explained.append(measure(Autoencoder.of(dict(ready.autoencoders)[1]), h).explained)
    assert explained[1] > explained[0] + 0.05


def test_several_ways_of_choosing_share_clips_and_activations(
    model: tiny.Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    prompts(model, made, monkeypatch)
    calls: list[int] = []
    inner = Activations.reduce
    monkeypatch.setattr(Activations, "reduce", lambda self, *args: calls.append(1) or inner(self, *args))
    one = SAE(autoencoders=SAES, top=3)
    together = fit_together([(one, None), (evolve(one, score="mean", mode="edit"), None)], model, TEMPO)
    assert len(made) == 4
    assert len(calls) == 3 * 4
    alone = one.fit(model, TEMPO)
    assert torch.equal(together[0].tensors["layer.1"], alone.tensors["layer.1"])


@pytest.mark.parametrize("named", ["index", "path", "block"])
def test_a_source_is_read_in_either_layout(model: tiny.Tiny, tmp_path: Path, named: str) -> None:
    for layer in model.layers:
        name = {"index": f"layer.{layer.index}", "path": layer.path, "block": layer.block}[named]
        if named == "index":
            write_saelens(SAES[layer.index], tmp_path / name)
        else:
            write_sparsify(SAES[layer.index], tmp_path, name)
    read = SAE(source=str(tmp_path), top=3).fit(model, TEMPO)
    given = SAE(autoencoders=SAES, top=3).fit(model, TEMPO)
    assert read.at(1.0) == given.at(1.0)
    assert read.options["source"] == str(tmp_path)


def test_a_layer_is_found_by_its_alias(wide: AudioLDM2, tmp_path: Path) -> None:
    layer = wide.layers[-1]
    assert layer.alias
    write_sparsify(orthonormal(layer.width), tmp_path, layer.alias)
    made = SAE(source=str(tmp_path), top=2).fit(wide, TEMPO, layers=(layer.index,))
    assert made.tensors[f"layer.{layer.index}"].shape[-1] == layer.width


def test_sources_that_do_not_fit_are_refused_before_any_clip(
    model: tiny.Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    prompts(model, made, monkeypatch)
    write_saelens(SAES[0], tmp_path / "layer.0")
    write_saelens(orthonormal(16), tmp_path / "layer.1")
    with pytest.raises(ArtifactError, match=r"layer 2 .* it has: layer\.0, layer\.1"):
        SAE(source=str(tmp_path)).fit(model, TEMPO, layers=(0, 2))
    with pytest.raises(ArtifactError, match="width 16, but layer 1 is 32 wide"):
        SAE(source=str(tmp_path)).fit(model, TEMPO, layers=(0, 1))
    write_saelens(SAES[0], tmp_path / "m1-k32" / "layer.0")
    with pytest.raises(ArtifactError, match=r"it has: layer\.0, layer\.1, m1-k32/layer\.0"):
        SAE(source=str(tmp_path)).fit(model, TEMPO, layers=(2,))
    write_saelens(SAES[2], tmp_path / "other" / "layer.2", {"model": "etude"})
    with pytest.raises(ArtifactError, match="trained on 'etude', not on 'tiny'"):
        SAE(source=str(tmp_path / "other")).fit(model, TEMPO, layers=(2,))
    with pytest.raises(ArtifactError, match="it has: none"):
        SAE(source="nowhere").fit(model, TEMPO)
    with pytest.raises(ArtifactError, match="width 16"):
        SAE(autoencoders={0: orthonormal(16)}).fit(model, TEMPO, layers=(0,))
    with pytest.raises(ArtifactError, match=r"layer 2 was given; there are \[0\]"):
        SAE(autoencoders={0: SAES[0]}).fit(model, TEMPO, layers=(0, 2))
    with pytest.raises(SpecError, match="leave one of them out"):
        SAE(autoencoders=SAES, source="there").fit(model, TEMPO)
    with pytest.raises(SpecError, match="fewer than k = 65"):
        SAE(k=65).fit(model, TEMPO)
    with pytest.raises(SpecError, match="no pairs"):
        SAE().fit(model, TEMPO, seeds=())
    with pytest.raises(SpecError, match="SparseAutoencoder values by layer"):
        SAE(autoencoders="layer 3")
    assert not made


def test_too_few_tokens_for_a_batch_are_counted(model: tiny.Tiny) -> None:
    with pytest.raises(SpecError, match="make the batch smaller"):
        SAE(batch=4096, epochs=1).fit(model, TEMPO)


# The artefact


def test_sides_that_read_alike_or_share_their_features_are_refused(model: tiny.Tiny) -> None:
    means = torch.rand(4, 2, 32) + 1
    with pytest.raises(SpecError, match="read alike"):
        SAE(autoencoders=SAES).learn(model, TEMPO, (0,), {0: means[:, :1].expand(-1, 2, -1)}, {})
    with pytest.raises(SpecError, match="share their 32 strongest"):
        SAE(autoencoders=SAES, top=32, weights="contrastive").learn(model, TEMPO, (0,), {0: means}, {})


def test_the_table_has_what_was_chosen(model: tiny.Tiny) -> None:
    made = SAE(autoencoders=SAES, top=3).fit(model, TEMPO)
    (found,) = gather(model, TEMPO, [Want(Activations(tuple(SAES.items())), (2,))], pairs=2)
    table = made.features(2)
    assert sum(row["chosen"] for row in table) == pytest.approx(3)
    assert [row["score"] for row in table] == sorted((row["score"] for row in table), reverse=True)
    for row in table:
        assert row["positive"] == pytest.approx(float(found[2][:, 0, row["feature"]].mean()), rel=1e-5)
        assert row["negative"] == pytest.approx(float(found[2][:, 1, row["feature"]].mean()), rel=1e-5)
    assert made.on((2,)).features(2) == table
    with pytest.raises(ArtifactError, match=r"layer 1; it knows \[2\]"):
        made.on((2,)).features(1)


def test_steps_can_share_their_features(model: tiny.Tiny) -> None:
    made = SAE(autoencoders=SAES, top=3, per_step=False).fit(model, TEMPO)
    assert made.tensors["layer.0"].shape == (1, 32)
    assert [row["chosen"] for row in made.features(0)] == [1.0] * 3
    vector = made.at(1.0, "raw")[0]
    assert isinstance(vector, AddVector)
    h = torch.randn(1, 5, 32)
    assert torch.equal(*(applied(vector, h, Call(step, 9, 0.5)) for step in (0, 8)))


WAYS: Sequence[dict[str, Any]] = (
    {},
    {"mode": "edit", "weights": "contrastive"},
    {"mode": "multiplicative", "activations": "topk", "weights": "score"},
    # Both sides' features: an edit takes away only what is there, which need not change a code that is drawn.
    {"mode": "edit", "per_step": False, "activations": "topk", "weights": "contrastive"},
    {"renorm": False, "per_step": False},
)


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize("name", ["ace-step", "audioldm2", "musicgen", "stable-audio-open"])
@pytest.mark.filterwarnings("ignore:Should have t:UserWarning")
def test_every_way_keeps_the_rules(shelf: Shelf, name: str, options: dict[str, Any]) -> None:
    check_method(SAE(**SMALL | options), shelf.quick(name), TEMPO)


@pytest.mark.parametrize("options", [{}, {"mode": "edit"}])
def test_layers_of_several_widths(wide: AudioLDM2, options: dict[str, Any]) -> None:
    check_method(SAE(**SMALL | options), wide, TEMPO)


def test_an_artefact_of_other_steps_steers(model: tiny.Tiny, tmp_path: Path) -> None:
    made = SAE(**SMALL, mode="edit").fit(model, TEMPO)
    read = SAEArtifact.from_pretrained(made.save_pretrained(tmp_path))
    plain, steered = (model.generate(Generation("a song", steps=6), items)[0].latents for items in ((), read.at(1.0)))
    assert not torch.allclose(plain, steered, rtol=1e-3)
