"""Statistics of pairs: against the same thing done by hand, shared, and made again where memory ran out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from attrs import evolve
from models.cases import Shelf

from tada_caa.caa import CAA
from tada_core import Concept, Row, collect, seed_at
from tada_core.contrast import Contrast, Means, Signs, Want, gather
from tada_core.contrastive import fit_together
from tada_core.errors import SpecError
from tada_core.sites import Site

SPEED = Concept("speed", "fast {p}", "slow {p}", ("a calm song", "the organ tune"), ("the evening",))


def sides(model, concept=SPEED, seeds=(0, 1)):
    """Means by hand: [2, steps, layers, width]."""
    made = []
    for template in (concept.positive, concept.negative):
        pairs = [(prompt, seed_at(seed, place)) for place, prompt in enumerate(concept.prompts) for seed in seeds]
        made.append(collect(model, [Row(prompt, seed, template) for prompt, seed in pairs]).mean(0))
    return torch.stack(made)


def test_means_are_those_of_both_sides(model):
    (found,) = gather(model, SPEED, [Want(Means(), (0, 2))], pairs=2, seeds=(0, 1))
    by_hand = sides(model)
    for layer in (0, 2):
        assert found[layer].shape == (4, 2, 32)
        assert torch.allclose(found[layer].transpose(0, 1), by_hand[:, :, layer], atol=1e-4)


def test_signs_are_shares_of_frames():
    positive, negative = torch.tensor([[[1.0, 0.0], [3.0, 0.0]]]), torch.tensor([[[0.0, 0.0], [5.0, -1.0]]])
    assert Signs().reduce(positive, negative, 0).tolist() == [[0.5, 0.5], [0.5, 0.0]]


def test_several_methods_are_fitted_on_the_same_clips(model, monkeypatch):
    made = []
    inner = model.sample
    monkeypatch.setattr(model, "sample", lambda batch: made.extend(batch.texts) or inner(batch))
    ways = [(CAA(pairs=2), None), (CAA(pairs=2, per_step=False), (0, 1)), (CAA(pairs=2, renorm=False), (2,))]
    together = fit_together(ways, model, SPEED, seeds=(0, 1))
    assert len(made) == 2 * 2 * 2
    for (method, layers), artifact in zip(ways, together, strict=True):
        alone = method.fit(model, SPEED, layers, seeds=(0, 1))
        assert alone.config() == artifact.config()
        for name, tensor in alone.tensors.items():
            assert torch.equal(tensor, artifact.tensors[name])


def test_a_shared_vector_is_the_one_of_the_mean_over_steps(model):
    (one,) = fit_together([(CAA(pairs=2, per_step=False), (1,))], model, SPEED)
    means = sides(model, seeds=(0,))[:, :, 1].mean(1)
    wanted = torch.nn.functional.normalize(means[0] - means[1], dim=-1)
    assert one.tensors["layer.1"].shape == (32,)
    assert torch.allclose(one.tensors["layer.1"], wanted, atol=1e-4)


def test_a_batch_made_again_in_halves_counts_once(model, monkeypatch):
    wants = [Want(Means(), (0, 1, 2))]
    (whole,) = gather(model, SPEED, wants, pairs=2, seeds=(0, 1))
    inner, tried = model.decode, []

    def decode(latents, batch):
        tried.append(len(latents))
        if len(latents) > 1:
            raise torch.OutOfMemoryError("as if")
        return inner(latents, batch)

    monkeypatch.setattr(model, "decode", decode)
    (halves,) = gather(model, SPEED, wants, pairs=2, seeds=(0, 1))
    assert max(tried) > 1
    assert tried.count(1) == 8
    # The first side of a pair waited in half precision.
    assert all(torch.allclose(whole[layer], halves[layer], rtol=2e-2, atol=2e-2) for layer in whole)


def test_pairs_of_different_length_meet_where_they_cannot_share_a_batch(shelf: Shelf):
    model = shelf.quick("ace-step-1.5")
    longer = evolve(SPEED, positive="fast loud {p}")
    (found,) = gather(model, longer, [Want(Means(), (0,))], pairs=2)
    by_hand = sides(model, longer, seeds=(0,))
    assert torch.allclose(found[0].transpose(0, 1), by_hand[:, :, 0], rtol=2e-2, atol=2e-2)


def test_nothing_waits_once_all_pairs_met(model):
    contrast = Contrast(model, [Want(Means(), (0,))])
    values, call = torch.ones(1, 5, 32), type("Call", (), {"step": 0})()
    for row in (0, 1):
        contrast.begin([row])
        contrast.see(Site("out", 0), call, [row], values * (row + 1))
        contrast.finish([row])
    assert contrast.found(Want(Means(), (0,)))[0][0, :, 0].tolist() == [1.0, 2.0]
    assert not contrast._waiting


def held(value):
    """Bytes of the tensors in something."""
    if isinstance(value, torch.Tensor):
        return value.untyped_storage().nbytes()
    if isinstance(value, dict):
        return sum(map(held, value.values()))
    return sum(map(held, value)) if isinstance(value, list | tuple | set) else 0


def test_what_is_held_at_the_size_of_ace_step_is_small_and_does_not_grow():
    """24 layers, 30 steps, 2560 features: 29 MB for any number of pairs and frames; all it sees is 240 GB."""
    layers = [SimpleNamespace(index=index, prefix=0) for index in range(24)]
    contrast = Contrast(SimpleNamespace(layers=layers), [Want(Signs(), tuple(range(24)))])
    values = torch.randn(2, 4, 2560)
    sizes = []
    for pair in range(2):
        rows = [2 * pair, 2 * pair + 1]
        contrast.begin(rows)
        for step in range(30):
            for layer in range(24):
                contrast.see(Site("out", layer), SimpleNamespace(step=step), rows, values)
        peak = held(list(vars(contrast).values()))
        contrast.finish(rows)
        sizes.append(peak)
    assert sizes[1] == 2 * sizes[0] == 2 * 24 * 30 * 2 * 2560 * 4 < 1e9


def test_no_pairs_are_refused(model):
    with pytest.raises(SpecError, match="'speed' gives no pairs"):
        gather(model, SPEED, [Want(Means(), (0,))], pairs=2, seeds=())
