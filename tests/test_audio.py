"""Clips as files: nothing is clipped, and how loud a clip was is not lost."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
import torch

from tada_core.audio import Audio
from tada_core.errors import SpecError

RATE = 16000
CLIP = torch.sin(torch.arange(RATE) / 10.0).expand(2, -1) * torch.tensor([[0.9], [0.4]])


@pytest.mark.parametrize("ending", ["flac", "wav", "ogg"])
@pytest.mark.parametrize(("level", "before"), [(1.0, 1.0), (3.0, 1.0), (1.0, 0.25), (3.0, 0.25)])
def test_a_stored_clip_can_be_brought_back_to_its_level(
    tmp_path: Path, ending: str, level: float, before: float
) -> None:
    clip = Audio(level * CLIP, RATE, before)
    again = Audio.load(clip.save(tmp_path / f"a.{ending}"))
    assert again.gain == before * min(1.0, 1.0 / float(clip.samples.abs().max()))
    assert again.rate == RATE
    error = (again.samples / again.gain - clip.samples / clip.gain).abs().max()
    assert error < (0.1 if ending == "ogg" else 1e-3) * level / before


def test_a_clip_of_gain_1_is_a_plain_file(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "plain.flac", CLIP.numpy().T, RATE)
    stored = Audio(CLIP, RATE).save(tmp_path / "stored.flac")
    assert stored.read_bytes() == (tmp_path / "plain.flac").read_bytes()


def test_another_programs_comment_is_no_gain(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.flac", "w", RATE, 2) as file:
        file.comment = "recorded at home"
        file.write(CLIP.numpy().T)
    assert Audio.load(tmp_path / "a.flac").gain == 1.0


@pytest.mark.parametrize(
    "samples", [torch.zeros(8), torch.zeros(1, 8, dtype=torch.float64), torch.tensor([[torch.nan]])]
)
def test_what_is_no_clip_is_refused(samples: torch.Tensor) -> None:
    with pytest.raises(SpecError, match="audio"):
        Audio(samples, RATE)
