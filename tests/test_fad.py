"""The Frechet distance: closed forms, invariances, its bias in n, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import tada_fad.command as module
from tada_core.audio import Audio
from tada_core.errors import SpecError
from tada_fad import tada_commands
from tada_fad.command import fad, read
from tada_fad.frechet import frechet
from tada_fad.report import FrechetReport, compare

SHAPES = st.tuples(st.integers(2, 12), st.integers(1, 8), st.integers(0, 10**6))


def two(shape):
    """Two sets of embeddings of one shape, of different mean and covariance."""
    n, d, seed = shape
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)), 1.0 + 0.5 * rng.standard_normal((n, d))


@given(SHAPES)
@settings(max_examples=30, deadline=None)
def test_it_is_the_equation_with_the_root_by_eigenvalues(shape):
    """tr (S_a S_b)^(1/2) is also the sum of roots of the eigenvalues of A' S_b A, where S_a = A A'."""
    a, b = two(shape)
    first, second = (np.atleast_2d(np.cov(one, rowvar=False)) for one in (a, b))
    values, vectors = np.linalg.eigh(first)
    half = vectors * np.sqrt(np.maximum(values, 0))
    root = np.sqrt(np.maximum(np.linalg.eigvalsh(half.T @ second @ half), 0)).sum()
    wanted = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(first) + np.trace(second) - 2 * root
    # A root of an eigenvalue that is zero but for rounding, 1e-16, is 1e-8.
    assert frechet(a, b) == pytest.approx(wanted, rel=1e-6, abs=1e-6)


def test_it_is_the_equation_with_scipys_root():
    linalg = pytest.importorskip("scipy.linalg")
    a, b = two((40, 6, 1))
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.trace(linalg.sqrtm(first @ second)).real
    wanted = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(first) + np.trace(second) - 2 * root
    assert frechet(a, b) == pytest.approx(wanted, rel=1e-10)


@given(SHAPES)
@settings(max_examples=30, deadline=None)
def test_in_one_dimension_it_is_the_difference_of_means_and_of_deviations(shape):
    a, b = (one[:, :1] for one in two(shape))
    wanted = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
    assert frechet(a, b) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


@given(SHAPES, st.floats(0.1, 10))
@settings(max_examples=30, deadline=None)
def test_invariances(shape, scale):
    a, b = two(shape)
    found, width = frechet(a, b), shape[1]
    rng = np.random.default_rng(shape[2])
    turn, away = np.linalg.qr(rng.standard_normal((width, width)))[0], rng.standard_normal(width)
    close = {"rel": 1e-7, "abs": 1e-9 * (1 + np.square(a).sum())}
    assert found > 0
    assert frechet(b, a) == pytest.approx(found, **close)
    assert frechet(a @ turn + away, b @ turn + away) == pytest.approx(found, **close)
    assert frechet(rng.permutation(a), b) == pytest.approx(found, **close)
    assert frechet(scale * a, scale * b) == pytest.approx(scale**2 * found, rel=1e-6, abs=1e-6 * scale**2)
    assert frechet(a, rng.permutation(a)) == pytest.approx(0, abs=1e-9 * (1 + np.square(a).sum()))
    assert frechet(a, a + away) == pytest.approx(away @ away, rel=1e-6, abs=1e-9 * (1 + np.square(a).sum()))


def test_it_is_biased_and_the_bias_falls_with_n():
    """Two sets of one distribution, whose true distance is 0."""

    def mean(n):
        draws = [np.random.default_rng(seed).standard_normal((2, n, 8)) for seed in range(20)]
        return np.mean([frechet(*draw) for draw in draws])

    found = [mean(n) for n in (8, 32, 128)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 3 * found[1] > 9 * found[2] > 0


GOOD = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        (GOOD, GOOD[:3], "4 and 3 clips"),
        (GOOD, GOOD[:, :2], "3 and 2 numbers"),
        (GOOD[:1], GOOD[:1], r"first set .* n of at least 2"),
        (GOOD, GOOD[0], r"second set .* n of at least 2"),
        (GOOD, GOOD * np.nan, "second set has embeddings that are not finite"),
    ],
)
def test_sets_that_have_no_distance_are_refused(a, b, words):
    with pytest.raises(SpecError, match=words):
        frechet(a, b)


class Sketch:
    """An embedder of four numbers."""

    name = "sketch"

    def embed(self, clips):
        waves = [clip.mono().double().numpy() for clip in clips]
        return np.array([[wave.mean(), wave.std(), np.abs(np.diff(wave)).mean(), np.abs(wave).max()] for wave in waves])


def noise(count, level, seed):
    generator = torch.Generator().manual_seed(seed)
    return [Audio(level * torch.rand(1, 800, generator=generator), 8000) for _ in range(count)]


def test_a_report_says_what_the_distance_depends_on():
    reference = noise(16, 0.2, 1)
    near, far = (compare(noise(16, level, 2), reference, Sketch()) for level in (0.21, 0.4))
    assert 0 < near.distance < far.distance
    assert near.floor == far.floor > 0
    assert (near.n, near.width, near.embedder) == (16, 4, "sketch")
    assert compare(reference, reference, Sketch()).distance == pytest.approx(0, abs=1e-12)
    assert compare(reference, reference, Sketch(), seed=1).floor != near.floor
    assert np.isnan(compare(reference[:3], reference[:3], Sketch()).floor)


@pytest.fixture
def folders(tmp_path):
    """Two folders of four clips."""
    for name, level in (("a", 0.2), ("b", 0.4)):
        for index, clip in enumerate(noise(4, level, 3)):
            clip.save(tmp_path / name / "more" / f"{index}.flac")
    return tmp_path / "a", tmp_path / "b"


def test_the_command_compares_folders(folders, monkeypatch, capsys):
    monkeypatch.setattr(module.tada, "get_metric", lambda name, **options: Sketch())
    fad(*folders, by="sketch", as_json=True)
    found = FrechetReport(**json.loads(capsys.readouterr().out))
    assert found == compare(read(folders[0]), read(folders[1]), Sketch())
    fad(*folders, by="sketch")
    assert f"distance {found.distance:.6g}, of 4 clips to 4, by sketch" in capsys.readouterr().out
    (folders[0] / "more" / "0.flac").unlink()
    with pytest.raises(SpecError, match="3 and 4 clips"):
        fad(*folders, by="sketch")


def test_the_command_prints_json_without_a_floor(folders, monkeypatch, capsys):
    monkeypatch.setattr(module.tada, "get_metric", lambda name, **options: Sketch())
    for folder in folders:
        (folder / "more" / "3.flac").unlink()
    fad(*folders, by="sketch", as_json=True)
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail)["floor"] is None


def test_the_command_names_what_is_missing(folders, tmp_path):
    with pytest.raises(SpecError, match="metric 'spectral' does not embed clips"):
        fad(*folders, by="spectral")
    with pytest.raises(SpecError, match=r"no clips in .*\.flac"):
        read(tmp_path / "none")
    (entry,) = tada_commands()
    assert entry.load() is fad
