"""The model that ships: it loads as a plain pipeline, obeys its prompt, and its parts do what they say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableAudioPipeline

import tada_etude
from tada_etude.decoder import EtudeDecoder
from tada_etude.phase import griffin_lim
from tada_etude.scheduler import EtudeScheduler
from tada_etude.spectrum import Frames, invert_mel, mel_matrix
from tada_etude.synth import RATE, SAMPLES, draw, render

WEIGHTS = Path(tada_etude.__file__).parent / "weights"


@pytest.fixture(scope="module")
def pipeline() -> StableAudioPipeline:
    """The shipped folder, loaded as anyone would."""
    pipe = StableAudioPipeline.from_pretrained(WEIGHTS)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def generate(pipe: StableAudioPipeline, prompt: str, seeds: range = range(4), output: str = "pt") -> torch.Tensor:
    """Clips [seeds, 1, samples] of one prompt."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    return pipe(
        [prompt] * len(seeds), num_inference_steps=16, guidance_scale=4.0, generator=generators, output_type=output,
        audio_end_in_s=SAMPLES / RATE,
    ).audios  # fmt: skip


def centroid(clips: torch.Tensor) -> np.ndarray:
    """Mean frequency [clips] in Hz below 5 kHz."""
    magnitude = np.abs(np.fft.rfft(clips[:, 0].numpy()))
    frequency = np.fft.rfftfreq(SAMPLES, 1 / RATE)
    tone = frequency < 5000
    return np.asarray((magnitude * frequency)[:, tone].sum(1) / magnitude[:, tone].sum(1))


def test_the_folder_is_small_and_says_what_it_is() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file()) < 13.5e6
    card = (WEIGHTS / "README.md").read_text()
    assert "license: apache-2.0" in card


def test_it_loads_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    pipe = StableAudioPipeline.from_pretrained(WEIGHTS)
    assert "Expected types" not in capfd.readouterr().err
    assert {component.dtype for component in (pipe.vae, pipe.text_encoder, pipe.transformer)} == {torch.float32}


def test_audio_is_finite_unclipped_and_of_the_right_length(pipeline: StableAudioPipeline) -> None:
    clips = generate(pipeline, "some music")
    assert clips.shape == (4, 1, SAMPLES)
    assert clips.dtype == torch.float32
    assert torch.isfinite(clips).all()
    assert 0.05 < clips.abs().max() < 0.99
    assert clips[:, :, (0, -1)].abs().max() < 1e-3


def test_opposite_prompts_are_heard(pipeline: StableAudioPipeline) -> None:
    bright, dark = (
        centroid(generate(pipeline, f"a {word} tune without drums", range(12))) for word in ("bright", "dark")
    )
    assert np.median(bright) > 1.5 * np.median(dark)
    assert (bright[:, None] > dark).mean() > 0.8


def test_the_same_seed_gives_the_same_latents(pipeline: StableAudioPipeline) -> None:
    one, two = (generate(pipeline, "a fast tune", range(2), "latent") for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one[0], one[1])


@pytest.mark.parametrize("prompt", ["", "東京 🎵", "lorem ipsum dolor sit amet " * 20])
def test_any_text_is_a_prompt(pipeline: StableAudioPipeline, prompt: str) -> None:
    assert torch.isfinite(generate(pipeline, prompt, range(1), "latent")).all()


def test_a_shorter_clip_can_be_asked_for(pipeline: StableAudioPipeline) -> None:
    audio = pipeline("a tune", num_inference_steps=4, guidance_scale=2.0, audio_end_in_s=2.0).audios
    assert audio.shape == (1, 1, 2 * RATE)


def test_scheduler_time_is_that_of_the_training() -> None:
    scheduler = EtudeScheduler(sigma_min=0.05, sigma_max=60.0, sigma_data=1.0, sigma_schedule="exponential")
    scheduler.set_timesteps(16)
    assert torch.allclose(torch.tan(scheduler.timesteps * math.pi / 2), scheduler.sigmas[:-1], rtol=1e-3)
    assert 0 < scheduler.timesteps.min() < scheduler.timesteps.max() < 1


def test_scheduler_finds_a_point_that_the_network_knows_exactly() -> None:
    scheduler = EtudeScheduler(
        sigma_min=0.05, sigma_max=60.0, sigma_data=1.0, sigma_schedule="exponential", prediction_type="v_prediction"
    )
    target = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(1))
    sample = torch.randn(1, 4, 8, generator=torch.Generator().manual_seed(2)) * scheduler.init_noise_sigma
    scheduler.set_timesteps(8)
    for time in scheduler.timesteps:
        noisy = scheduler.scale_model_input(sample, time)
        angle = time * math.pi / 2
        velocity = (torch.cos(angle) * noisy - target) / torch.sin(angle)
        sample = scheduler.step(velocity, time, sample).prev_sample
    assert torch.allclose(sample, target, atol=1e-3)


def test_frames_are_inverted_exactly() -> None:
    frames = Frames(2048, 512)
    audio = torch.randn(2, 8192, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(frames.synthesise(frames.analyse(audio)), audio, atol=1e-5)


def test_a_sine_of_amplitude_one_has_magnitude_one() -> None:
    wave = torch.sin(2 * math.pi * 1000 * torch.arange(16384) / RATE)[None]
    assert Frames(2048, 512).analyse(wave).abs()[0, :, 16].max() == pytest.approx(1.0, abs=0.01)


def test_mel_inversion_gives_back_the_bands() -> None:
    mel = mel_matrix(128, 2048, RATE, 200.0)
    bands = mel @ torch.rand(1, 1025, 8, generator=torch.Generator().manual_seed(0))
    assert (mel @ invert_mel(mel, bands) - bands).norm() < 0.05 * bands.norm()
    assert invert_mel(mel, bands).min() >= 0


def test_low_notes_have_more_bands_the_lower_the_knee() -> None:
    for knee in (100.0, 200.0, 700.0):
        assert (mel_matrix(128, 2048, RATE, knee).sum(1) > 0).all()
    low = [int((mel_matrix(128, 2048, RATE, knee).argmax(1) < 64).sum()) for knee in (200.0, 700.0)]
    assert low[0] > 1.4 * low[1]


def test_phases_converge_from_a_good_start() -> None:
    frames = Frames(2048, 512)
    magnitudes = frames.analyse(torch.from_numpy(np.stack([render(draw(seed)) for seed in range(3)]))).abs()

    def distance(iterations: int) -> float:
        rebuilt = frames.analyse(griffin_lim(frames, magnitudes, iterations, 0.9)).abs()
        return float((rebuilt - magnitudes).norm() / magnitudes.norm())

    assert distance(0) < 0.45
    assert distance(16) < 0.15


def test_decoding_what_was_encoded_keeps_the_spectrum(pipeline: StableAudioPipeline) -> None:
    decoder: EtudeDecoder = pipeline.vae
    audio = torch.from_numpy(np.stack([render(draw(seed)) for seed in range(10_000_000, 10_000_006)])).unsqueeze(1)
    again = decoder.decode(decoder.encode(audio)).sample
    assert again.shape == audio.shape
    error = (decoder.log_mel(again) - decoder.log_mel(audio)).square().mean().sqrt()
    assert error < 0.45
    silence = torch.zeros_like(audio)
    assert error < 0.2 * (decoder.log_mel(silence) - decoder.log_mel(audio)).square().mean().sqrt()
