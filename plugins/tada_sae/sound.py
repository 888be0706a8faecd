"""A clip as a data URI, so that a page needs no other file."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

from tada_core.audio import Audio

RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Of MP3, in Hz; a clip of another rate becomes FLAC, ten times as large."""


def data_uri(audio: Audio) -> str:
    """MP3, which every browser plays, or FLAC; louder than full scale is turned down, as `Audio.save` does."""
    import soundfile

    held = BytesIO()
    kind = "mp3" if audio.rate in RATES and audio.samples.shape[0] <= 2 else "flac"
    samples = audio.samples / max(1.0, float(audio.samples.abs().max()))
    soundfile.write(held, samples.numpy().T, audio.rate, format=kind)
    name = {"mp3": "mpeg", "flac": "flac"}[kind]
    return f"data:audio/{name};base64,{b64encode(held.getvalue()).decode()}"
