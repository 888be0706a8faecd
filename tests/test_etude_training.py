"""A training run is a function of its configuration, wherever it is interrupted."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import attrs
import numpy as np
import pytest
import torch
from diffusers import StableAudioPipeline

from tada_etude.listener.config import ListenerConfig
from tada_etude.synth import caption, draw, render
from tada_etude.training import Progress, TrainConfig, export, train
from tada_etude.training.checkpoint import learning_rate
from tada_etude.training.data import load_dataset
from tada_etude.training.loop import State
from tada_etude.training.network import build_tokenizer
from tada_etude.training.objective import NOISIEST, mix, times

TINY = TrainConfig.tiny()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State]:
    """An uninterrupted run, made with one thread so that sums have one order."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("whole")
    return folder, train(attrs.evolve(TINY, steps=40), folder)


def equal(one: State, two: State) -> bool:
    """Whether all weights and their averages are the same numbers."""
    pairs = [(one.average, two.average), (one.network.modules().state_dict(), two.network.modules().state_dict())]
    return all(torch.equal(a[name], b[name]) for a, b in pairs for name in a)


def test_a_run_broken_off_and_resumed_ends_with_the_same_weights(whole: tuple[Path, State], tmp_path: Path) -> None:
    config = attrs.evolve(TINY, steps=40)

    def break_off(progress: Progress) -> None:
        if progress.step == 20:
            raise InterruptedError

    train(config, tmp_path, stop_after=7)
    with pytest.raises(InterruptedError):
        train(config, tmp_path, break_off)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 7
    resumed = train(config, tmp_path)
    assert resumed.step == 40
    assert equal(resumed, whole[1])


def test_another_seed_ends_with_other_weights(whole: tuple[Path, State], tmp_path: Path) -> None:
    assert not equal(train(attrs.evolve(TINY, steps=40, seed=1), tmp_path), whole[1])


def test_loss_falls_and_is_kept_as_a_table(tmp_path: Path) -> None:
    sound = train(attrs.evolve(TINY, steps=40, listen=40), tmp_path)
    rows = (tmp_path / "loss.csv").read_text().splitlines()
    assert rows[0] == "step,loss"
    assert [int(row.split(",")[0]) for row in rows[1:]] == [20, 40]
    assert sound.curve[-1][1] < sound.curve[0][1]


def test_more_steps_continue_a_finished_run(whole: tuple[Path, State], tmp_path: Path) -> None:
    train(attrs.evolve(TINY, steps=2), tmp_path)
    assert train(attrs.evolve(TINY, steps=5), tmp_path).step == 5


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path: Path) -> None:
    train(attrs.evolve(TINY, steps=1), tmp_path)
    with pytest.raises(ValueError, match="batch"):
        train(attrs.evolve(TINY, steps=2, batch=2), tmp_path)


def test_it_is_refused_before_any_clip_is_synthesised(
    whole: tuple[Path, State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(whole[0] / "checkpoint.pt", tmp_path)
    monkeypatch.setattr("tada_etude.training.loop.load_dataset", lambda *_: pytest.fail("work started"))
    with pytest.raises(ValueError, match="another channels"):
        train(attrs.evolve(TINY, channels=TINY.channels + 1), tmp_path)


def test_the_averaged_weights_are_exported_as_a_pipeline(whole: tuple[Path, State], tmp_path: Path) -> None:
    export(whole[0], tmp_path / "weights")
    pipeline = StableAudioPipeline.from_pretrained(tmp_path / "weights")
    weight = pipeline.transformer.proj_out.weight
    assert weight.dtype == pipeline.text_encoder.dtype == torch.float32
    assert torch.equal(weight, whole[1].average["transformer.proj_out.weight"].half().float())


def test_the_data_set_is_the_latents_of_the_drawn_clips(whole: tuple[Path, State]) -> None:
    dataset = load_dataset(TINY, whole[0])
    assert dataset.latents.shape == (12, 16, 64)
    clip = torch.from_numpy(render(draw(5)))[None, None]
    assert np.allclose(dataset.decoder.encode(clip)[0].numpy(), dataset.latents[5], atol=0.02)
    assert dataset.latents.astype(np.float64).var() == pytest.approx(1.0, abs=0.2)


@pytest.mark.parametrize("recipe", [TrainConfig, ListenerConfig])
def test_the_rate_warms_up_and_falls_to_a_hundredth(recipe: type[TrainConfig | ListenerConfig]) -> None:
    config = recipe(steps=1000, warmup=100, rate=1.0)
    rates = [learning_rate(step, config) for step in (0, 99, 100, 550, 1000)]
    assert rates == pytest.approx([0.01, 1.0, 1.0, 0.505, 0.01])


def test_velocity_and_noisy_latents_give_back_signal_and_noise() -> None:
    generator = torch.Generator().manual_seed(0)
    latents, noise = torch.randn(2, 4, 3, 5, generator=generator)
    time = times(4, generator, 0.0)
    noisy, velocity = mix(latents, noise, time)
    angle = (time * math.pi / 2).view(-1, 1, 1)
    assert torch.allclose(torch.cos(angle) * noisy - torch.sin(angle) * velocity, latents, atol=1e-5)
    assert torch.allclose(torch.sin(angle) * noisy + torch.cos(angle) * velocity, noise, atol=1e-5)


def test_times_cover_the_interval() -> None:
    drawn = times(4000, torch.Generator().manual_seed(0), 0.0)
    assert 0 < drawn.min() < 0.02
    assert 0.98 < drawn.max() < 1
    assert 0.5 < drawn.mean() < 0.62


def test_the_asked_share_of_times_is_where_the_text_decides() -> None:
    def share(high: float) -> float:
        level = torch.tan(times(8000, torch.Generator().manual_seed(0), high) * (math.pi / 2))
        return float(((level > NOISIEST[0]) & (level < NOISIEST[1])).float().mean())

    assert share(1.0) == 1.0
    assert share(0.4) == pytest.approx(0.4 + 0.6 * share(0.0), abs=0.02)


def test_words_are_learned_from_one_step_on_through_an_attention_that_waits(tmp_path: Path) -> None:
    def weights(step: int) -> dict[str, torch.Tensor]:
        state = train(TINY, tmp_path / str(step), stop_after=step)
        return {name: value.clone() for name, value in state.network.modules().state_dict().items()}

    before, drawn, waited, after = (weights(step) for step in (TINY.listen, TINY.listen + 1, TINY.attend, TINY.steps))
    key, value = (f"transformer.transformer_blocks.0.attn2.to_{name}.weight" for name in ("k", "v"))
    assert not torch.equal(before[key], drawn[key])
    assert torch.equal(drawn[key], waited[key])
    assert not torch.equal(waited[key], after[key])
    assert not torch.equal(drawn[value], waited[value])
    word = "text_encoder.shared.weight"
    assert (before[word] - drawn[word]).abs().mean() > 0.5


def test_any_text_has_tokens_and_known_words_have_one() -> None:
    tokenizer = build_tokenizer(TrainConfig())
    assert len(tokenizer.tokenize("A LIVELY piano tune")) == 4
    for text in ("déjà vu", "東京 🎵", "\n\t", "zxqj"):
        assert tokenizer.unk_token_id is None
        assert tokenizer.decode(tokenizer(text).input_ids).strip() == text.strip()
    lengths = [len(tokenizer(caption(draw(seed), seed)).input_ids) for seed in range(500)]
    assert max(lengths) <= TrainConfig().text_length
