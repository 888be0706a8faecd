"""Sparse autoencoders: the sparse step against dense autograd, recovery of a known dictionary, exact resuming."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from attrs import evolve
from torch import Tensor

from tada_core import Generation, Settings, Site, run, seed_at
from tada_core.adapter import Call
from tada_core.errors import ArtifactError, SpecError, UnknownNameError
from tada_sae.autoencoder import Autoencoder
from tada_sae.buffer import ShuffleBuffer
from tada_sae.centre import centre_of
from tada_sae.figures import measure
from tada_sae.loss import fvu, loss
from tada_sae.selection import largest
from tada_sae.settings import Spec, StreamSettings, TrainerSettings, TrainSettings
from tada_sae.stream import Tokens, row_batches, stream
from tada_sae.train import train
from tada_sae.trainer import Trainer

PROMPTS = ("a calm song", "a fast tune", "the organ", "a piano tune", "the evening song", "a sad tune")
SMALL = TrainerSettings(rate=1e-2, warmup=3, batch=16, dead_after=64)
SETTINGS = TrainSettings(SMALL, StreamSettings(every=2, seeds=(0, 1), buffer=64, clips=2), save_every=2)
SPECS = (Spec(0, 2, 4), Spec(0, 4, 8), Spec(2, 2, 4))


def dense_loss(weights: dict[str, Tensor], h: Tensor, k: int, selection: str, dead: Tensor | None) -> Tensor:
    """The loss with every tensor dense, straight from the equations."""
    centre, decoder = weights["decoder_bias"], weights["decoder"]
    active = torch.relu((h - centre) @ weights["encoder"].T + weights["encoder_bias"])
    chosen = active.flatten().topk(k * len(h)).values.min() if selection == "batch" else active.topk(k).values[:, -1:]
    error = h - torch.where(active >= chosen, active, 0.0) @ decoder - centre
    total = (h - h.mean(0)).pow(2).sum()
    found = error.pow(2).sum() / total
    if dead is not None:
        own = active * dead
        wanted = min(h.shape[1] // 2, int(dead.sum()))
        own = torch.where(own >= own.topk(wanted).values[:, -1:], own, 0.0)
        scale = wanted / (h.shape[1] // 2)
        found = found + scale * (error.detach() - own @ decoder).pow(2).sum() / total / 32
    return found


@pytest.mark.parametrize("selection", ["batch", "token"])
@pytest.mark.parametrize("dead", [0, 3, 20], ids=lambda n: f"{n} dead")
@pytest.mark.parametrize("k", [5, 30])  # of 40: with 30 some kept entries are below zero, and ReLU cuts them off
def test_the_sparse_step_has_the_value_and_gradient_of_dense_autograd(selection: Any, dead: int, k: int) -> None:
    draw = torch.Generator().manual_seed(dead)
    made = Autoencoder(10, 40, k, selection, generator=draw).double()
    for parameter in made.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=draw, dtype=torch.float64)
    h = torch.randn(64, 10, generator=draw, dtype=torch.float64)
    mask = torch.arange(40) < dead if dead else None
    weights = {name: one.detach().clone().requires_grad_() for name, one in made.named_parameters()}
    expected = dense_loss(weights, h, k, selection, mask)
    wanted = torch.autograd.grad(expected, list(weights.values()))
    found = loss(made, h, mask)
    found.total.backward()
    assert torch.allclose(found.total, expected, rtol=1e-12)
    for (name, own), gradient in zip(made.named_parameters(), wanted, strict=True):
        assert gradient.abs().max() > 1e-6
        assert torch.allclose(own.grad, gradient, rtol=1e-9, atol=1e-13), name


def test_batch_selection_keeps_k_per_token_on_average_and_token_selection_exactly() -> None:
    made, h = Autoencoder(16, 200, 4), torch.randn(300, 16)
    made.encoder_bias.data += 10.0  # all above zero, so that every kept entry counts
    batch, token = made.train().encode(h).dense(), made.eval().encode(h).dense()
    assert int((batch > 0).sum()) == 4 * 300
    assert ((batch > 0).sum(1) != 4).any()
    assert ((token > 0).sum(1) == 4).all()
    assert batch[batch > 0].min() >= (made.encode(h).dense() * (batch == 0)).max()
    assert torch.equal(made.encode(h).fired(), (token > 0).sum(0))


def test_tokens_without_any_feature_are_the_centre() -> None:
    made = Autoencoder(8, 32, 2).train()
    made.decoder_bias.data.normal_()
    h = torch.cat([made.decoder_bias.data.repeat(3, 1), 50 * torch.randn(5, 8)])
    code = made.encode(h)
    assert not code.dense()[:3].any()
    assert torch.equal(made.decode(code)[:3], made.decoder_bias.repeat(3, 1))
    assert torch.allclose(made(h), code.dense() @ made.decoder + made.decoder_bias, atol=1e-4)


@pytest.mark.parametrize("wanted", [1, 10, 1000, 19_999, 20_000])
@pytest.mark.parametrize("spread", ["random", "equal", "sorted", "striped"])
def test_the_largest_entries_are_found_whatever_the_order(wanted: int, spread: str) -> None:
    values = torch.randn(20_000, generator=torch.Generator().manual_seed(0))
    if spread == "striped":
        values[::61] += 100.0  # the sample sees nothing but the largest
    values = {"equal": torch.ones(20_000), "sorted": values.sort().values}.get(spread, values)
    found = largest(values, wanted)
    assert len(set(found.tolist())) == wanted
    assert torch.equal(values[found].sort().values, values.sort().values[20_000 - wanted :])


def test_fvu_is_zero_for_a_copy_and_one_for_the_mean() -> None:
    h = torch.randn(50, 4) + 3
    assert float(fvu(h, h)) == 0
    assert float(fvu(h, h.mean(0).expand_as(h))) == pytest.approx(1.0)


def test_auxk_moves_dead_features_only() -> None:
    made, h, dead = Autoencoder(12, 24, 3), torch.randn(40, 12), torch.arange(24) < 5
    both, plain = loss(made, h, dead), loss(made, h, None)
    gradient = torch.autograd.grad(both.total - plain.total, (made.encoder, made.decoder))
    for one in gradient:
        assert (one[:5].abs().amax(1) > 0).all()
        assert one[5:].abs().max() < 1e-7
    assert torch.equal(loss(made, h, dead, auxiliary=0).total, plain.total)


def test_the_median_resists_what_moves_the_mean() -> None:
    h = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)).double()
    h[:20] += 1000.0
    median = centre_of(h, "median")
    assert median.abs().max() < 0.5
    assert torch.equal(centre_of(h), h.mean(0))
    slope = ((h - median) / (h - median).norm(dim=1, keepdim=True)).sum(0)
    assert slope.abs().max() < 1e-3 * len(h)


def sparse_data(features: int, width: int, active: int, seed: int = 5) -> tuple[Tensor, Callable[[int], Tensor]]:
    """A true dictionary [features, width], and a source of tokens made of `active` of its rows each."""
    draw = torch.Generator().manual_seed(seed)
    true = torch.nn.functional.normalize(torch.randn(features, width, generator=draw))
    centre = 2 * torch.randn(width, generator=draw)

    def tokens(count: int) -> Tensor:
        chosen = torch.rand(count, features, generator=draw).topk(active).indices
        size = 0.5 + torch.rand(count, active, generator=draw)
        return torch.zeros(count, features).scatter(1, chosen, size) @ true + centre

    return true, tokens


@pytest.mark.parametrize("selection", ["batch", "token"])
def test_most_of_a_known_dictionary_is_recovered(selection: Any) -> None:
    true, tokens = sparse_data(64, 32, 3)
    own = TrainerSettings(rate=1e-2, warmup=50, batch=512, selection=selection, dead_after=20_000)
    trainer = Trainer(32, Spec(0, 4, 3), own)

    def recovered() -> float:
        return float(((true @ trainer.autoencoder.decoder.detach().T).amax(1) > 0.9).float().mean())

    assert recovered() < 0.1
    for _ in range(600):
        trainer.step(tokens(512))
    after = measure(trainer.autoencoder, tokens(2000))
    assert recovered() > 0.9
    assert after.explained > 0.9
    assert trainer.figures().explained == pytest.approx(after.explained, abs=0.04)
    assert trainer.autoencoder.training


def test_a_step_keeps_the_rows_at_unit_length_and_starts_at_the_centre() -> None:
    _, tokens = sparse_data(40, 16, 3)
    trainer, h = Trainer(16, Spec(0, 2, 4), evolve(SMALL, rate=1e-9, warmup=0)), tokens(100)
    first = trainer.autoencoder.decoder.detach().clone()
    assert torch.allclose(trainer.autoencoder.encoder, 0.58 * first)
    trainer.step(h)
    assert torch.allclose(trainer.autoencoder.decoder_bias, h.mean(0), atol=1e-6)
    moving = Trainer(16, Spec(0, 2, 4), SMALL)
    for _ in range(5):
        moving.step(tokens(100))
    assert torch.allclose(moving.autoencoder.decoder.norm(dim=1), torch.ones(32), atol=1e-6)
    assert not torch.allclose(moving.autoencoder.decoder, first, atol=1e-3)


def test_the_gradient_is_projected_and_clipped_and_the_rate_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    _, tokens = sparse_data(40, 16, 3)
    trainer = Trainer(16, Spec(0, 2, 4), evolve(SMALL, clip=1e-3))
    seen: list[tuple[float, float, float]] = []
    adam: Any = trainer._adam
    plain = adam.step

    def step() -> None:
        rows = trainer.autoencoder.decoder
        along = float((rows.grad * rows.detach()).sum(1).abs().max() / rows.grad.norm())
        norm = float(torch.cat([one.grad.flatten() for one in trainer.autoencoder.parameters()]).norm())
        seen.append((along, norm, adam.param_groups[0]["lr"]))
        plain()

    monkeypatch.setattr(adam, "step", step)
    for _ in range(5):
        trainer.step(tokens(64))
    along, norms, rates = zip(*seen, strict=True)
    assert max(along) < 1e-5
    assert norms == pytest.approx([1e-3] * 5, rel=1e-3)
    assert rates == pytest.approx([1e-2 / 3, 2e-2 / 3, 1e-2, 1e-2, 1e-2])


def test_features_that_do_not_fire_are_dead_after_so_many_tokens() -> None:
    _, tokens = sparse_data(40, 16, 3)
    trainer = Trainer(16, Spec(0, 2, 4), evolve(SMALL, dead_after=40, rate=1e-9))
    trainer.autoencoder.encoder_bias.data[:7] = -100.0
    trainer.autoencoder.encoder_bias.data[7:9] = 100.0
    counts = []
    for _ in range(3):
        trainer.step(tokens(20))
        counts.append(int(trainer.dead[:7].sum()))
    assert counts == [0, 7, 7]
    assert not trainer.dead[7:9].any()
    figures = trainer.figures()
    assert figures.dead >= 7 / 32
    assert figures.dense >= 2 / 32


@pytest.mark.parametrize("selection", ["batch", "token"])
def test_a_trainer_resumes_bit_for_bit(selection: Any, tmp_path: Path) -> None:
    _, tokens = sparse_data(40, 16, 3)
    batches = [tokens(64) for _ in range(20)]
    own = evolve(SMALL, selection=selection)
    whole, first, second = (Trainer(16, Spec(0, 4, 4), own) for _ in range(3))
    for batch in batches:
        whole.step(batch)
    for batch in batches[:9]:
        first.step(batch)
    assert first.dead.any(), "AuxK has to take part"
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    for batch in batches[9:]:
        second.step(batch)
    assert same(whole.state_dict(), second.state_dict())
    assert not same(whole.state_dict(), first.state_dict())
    assert whole.figures() == second.figures()


def test_seeds_and_specs_give_other_autoencoders() -> None:
    one, again, other = (Trainer(8, Spec(0, 2, 4), evolve(SMALL, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(one.autoencoder.decoder, again.autoencoder.decoder)
    assert not torch.equal(one.autoencoder.decoder, other.autoencoder.decoder)
    assert one.autoencoder.decoder.shape == (16, 8)


def test_what_a_trainer_refuses() -> None:
    with pytest.raises(SpecError, match="16 features, fewer than k = 17"):
        Trainer(8, Spec(0, 2, 17))
    with pytest.raises(SpecError, match="before the first step"):
        Trainer(8, Spec(0, 2, 4)).figures()
    with pytest.raises(SpecError, match="do not vary"):
        Trainer(8, Spec(0, 2, 4), SMALL).step(torch.ones(10, 8))
    with pytest.raises(SpecError, match="gives no batch of 4096"):
        TrainSettings(stream=StreamSettings(buffer=100))


def test_the_buffer_gives_every_token_once_in_mixed_order() -> None:
    buffer, out = ShuffleBuffer(50, 8, 1, seed=0), []
    for first in range(0, 300, 30):
        out += list(buffer.push(torch.arange(first, first + 30).float()[:, None]))
    out += list(buffer.drain())
    seen = torch.cat(out).flatten()
    assert all(len(batch) == 8 for batch in out)
    assert len(seen) == 296
    assert len(set(seen.tolist())) == 296
    assert not torch.equal(seen, seen.sort().values)
    assert out[0].max() < 50
    assert buffer.count == 4


def test_the_buffer_resumes_bit_for_bit() -> None:
    tokens = torch.randn(200, 3)
    whole, other = ShuffleBuffer(50, 8, 3, seed=1), ShuffleBuffer(50, 8, 3, seed=2)
    list(whole.push(tokens[:90]))
    other.load_state_dict(whole.state_dict())
    expected = [*whole.push(tokens[90:]), *whole.drain()]
    found = [*other.push(tokens[90:]), *other.drain()]
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


def test_tokens_are_those_of_a_hand_written_hook(model: tiny.Tiny) -> None:
    seen: list[Tensor] = []
    handle = model.denoiser.transformer_blocks[1].attn2.register_forward_hook(
        lambda *args: seen.append(args[2].clone())
    )
    try:
        observer = Tokens(model, (1, 2), every=2)
        run(model, Generation("a song", seeds=(0, 1)).rows(), observer=observer)
    finally:
        handle.remove()
    found = observer.tokens()
    expected = torch.stack([h[2:, 1:] for h in seen[::2]], dim=1).reshape(-1, 32)
    assert torch.equal(found[1], expected)
    assert found[2].shape == expected.shape
    assert not torch.equal(found[2], expected)


def test_a_batch_made_again_in_halves_counts_once() -> None:
    class Model:
        def layer(self, index: int) -> Any:
            return type("Layer", (), {"prefix": 1})

    h, whole, halved = torch.randn(4, 3, 2), Tokens(Model(), (0,), 1), Tokens(Model(), (0,), 1)  # type: ignore[arg-type]
    call = Call(0, 1, 1.0)
    for observer, parts in ((whole, [(0, 1, 2, 3)]), (halved, [(2, 3), (0, 1)])):
        if observer is halved:
            halved.begin((0, 1, 2, 3))
            halved.see(Site("out", 0), call, (0, 1, 2, 3), h + 1)
        for rows in parts:
            observer.begin(rows)
            observer.see(Site("out", 0), call, rows, h[list(rows)])
            observer.finish(rows)
    assert torch.equal(whole.tokens()[0], h[:, 1:].reshape(-1, 2))
    assert torch.equal(whole.tokens()[0], halved.tokens()[0])


def test_every_prompt_is_made_once_per_seed_on_noise_of_its_own(model: tiny.Tiny) -> None:
    settings = StreamSettings(seeds=(0, 7), clips=5, settings=Settings(steps=2))
    batches = row_batches(model, PROMPTS, settings)
    assert [len(batch) for batch in batches] == [5, 5, 2]
    rows = [(row.prompt, row.seed) for batch in batches for row in batch]
    assert sorted(rows) == sorted((p, seed_at(seed, place)) for seed in (0, 7) for place, p in enumerate(PROMPTS))
    assert {p for p, _ in rows[:6]} == set(PROMPTS)
    assert [p for p, _ in rows[:6]] != [p for p, _ in rows[6:]]
    (tokens, *_) = stream(model, batches, (0,), 1)
    assert tokens[0].shape == (5 * 2 * 12, 32)


def test_one_pass_of_clips_trains_all_specs(model: tiny.Tiny) -> None:
    made: list[int] = []

    class Counting(tiny.Tiny):
        def sample(self, batch: Any) -> Tensor:
            made.append(len(batch.texts))
            return super().sample(batch)

    seen: list[tuple[int, int]] = []
    found = train(Counting(model.pipe), PROMPTS, SPECS, SETTINGS, progress=lambda *now: seen.append(now))
    assert made == [2] * 6
    assert seen == [(clips, 12) for clips in range(2, 13, 2)]
    assert tuple(found) == SPECS
    assert {trainer.steps for trainer in found.values()} == {12 * 2 * 12 // 16}
    assert [found[spec].autoencoder.value().decoder.shape for spec in SPECS] == [(64, 32), (128, 32), (64, 32)]
    alone = train(model, PROMPTS, SPECS[1:2], SETTINGS, progress=lambda *_: None)
    assert same(alone[SPECS[1]].state_dict(), found[SPECS[1]].state_dict())


def test_training_explains_what_a_fresh_autoencoder_does_not(model: tiny.Tiny) -> None:
    settings = evolve(SETTINGS, stream=evolve(SETTINGS.stream, every=1, seeds=(0, 1, 2, 3)))
    trainer = train(model, PROMPTS, [Spec(1, 4, 8)], settings, progress=lambda *_: None)[Spec(1, 4, 8)]
    others = row_batches(model, PROMPTS, StreamSettings(seeds=(99,), clips=6))
    (tokens,) = stream(model, others, (1,), 1)
    fresh = Trainer(32, Spec(1, 4, 8), SMALL).autoencoder
    fresh.decoder_bias.data.copy_(tokens[1].mean(0))
    assert measure(trainer.autoencoder, tokens[1]).explained > measure(fresh, tokens[1]).explained + 0.1


class StoppedError(Exception):
    """Raised in the middle of a training."""


@pytest.mark.parametrize("after", [2, 6, 12], ids=lambda n: f"after {n} clips")
def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(model: tiny.Tiny, tmp_path: Path, after: int) -> None:
    def stop(clips: int, total: int) -> None:
        if clips == after:
            raise StoppedError

    whole = train(model, PROMPTS, SPECS, SETTINGS, progress=lambda *_: None)
    with pytest.raises(StoppedError):
        train(model, PROMPTS, SPECS, SETTINGS, tmp_path, progress=stop)
    seen: list[int] = []
    again = train(model, PROMPTS, SPECS, SETTINGS, tmp_path, progress=lambda clips, _: seen.append(clips))
    saved = after // 4 * 4
    assert seen == list(range(saved + 2, 13, 2))
    for spec in SPECS:
        assert same(whole[spec].state_dict(), again[spec].state_dict()), spec
        assert whole[spec].autoencoder.value() == again[spec].autoencoder.value()
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_checkpoint_of_another_training_or_damaged(model: tiny.Tiny, tmp_path: Path) -> None:
    quick = evolve(SETTINGS, stream=evolve(SETTINGS.stream, seeds=(0,)))
    train(model, PROMPTS[:2], SPECS[:1], quick, tmp_path, progress=lambda *_: None)
    with pytest.raises(ArtifactError, match="other prompts, trainer settings;"):
        other = evolve(quick, trainer=evolve(SMALL, seed=1))
        train(model, PROMPTS[:3], SPECS[:1], other, tmp_path)
    with pytest.raises(ArtifactError, match="other specs;"):
        train(model, PROMPTS[:2], SPECS[1:], quick, tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"no")
    with pytest.raises(ArtifactError, match="delete it to begin anew"):
        train(model, PROMPTS[:2], SPECS[:1], quick, tmp_path)


@pytest.mark.parametrize(
    ("prompts", "specs", "words"),
    [
        (PROMPTS, (), "no autoencoders"),
        (PROMPTS, (SPECS[0], SPECS[0]), "twice"),
        ((), SPECS, "no prompts"),
        (PROMPTS, (Spec(0, 1, 33),), "fewer than k"),
    ],
)
def test_what_training_refuses(model: tiny.Tiny, prompts: Any, specs: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        train(model, prompts, specs, SETTINGS)


def test_a_layer_that_is_not_there_and_too_few_tokens(model: tiny.Tiny) -> None:
    with pytest.raises(UnknownNameError, match="layer '9'"):
        train(model, PROMPTS, [Spec(9, 2, 4)], SETTINGS)
    with pytest.raises(SpecError, match="gave 24 tokens, fewer than a batch of 64"):
        few = evolve(SETTINGS, trainer=evolve(SMALL, batch=64), stream=evolve(SETTINGS.stream, seeds=(0,)))
        train(model, PROMPTS[:1], SPECS, few, progress=lambda *_: None)


def test_published_settings_are_the_defaults() -> None:
    own = TrainSettings()
    assert (own.trainer.rate, own.trainer.warmup, own.trainer.clip, own.trainer.batch) == (3e-5, 1000, 1.0, 4096)
    assert (own.trainer.auxiliary, own.trainer.dead_after, own.trainer.selection) == (1 / 32, 10_000_000, "batch")
    assert (own.stream.every, len(own.stream.seeds)) == (6, 10)


def same(one: Any, other: Any) -> bool:
    """Whether two nested states are equal bit for bit."""
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
