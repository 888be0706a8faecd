"""Localisation, CAA, PCI, artefacts and doses on a random instance of real classes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import tiny
import torch

from tada_caa.caa import CAA, CAAArtifact
from tada_core import (
    Artifact,
    Audio,
    Concept,
    DoseScale,
    Generation,
    Impact,
    Metric,
    PatchText,
    Row,
    SwitchPrompt,
    calibrate,
    collect,
    localize,
    run,
    seed_at,
)
from tada_core.errors import ArtifactError, DoseError, SpecError, UnknownNameError
from tada_core.statistics import bootstrap
from tada_pci.pci import PCI, PCIArtifact

TEMPO = Concept("tempo", "fast {p}", "slow {p}", ("a calm song", "the organ tune", "a piano song"), ("the evening",))


class Loudness(Metric):
    """Mean absolute sample, as a stand-in for an alignment."""

    name: ClassVar[str] = "loudness"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "alignment"
    unit: ClassVar[str] = "full scale"

    def score(self, clips: Sequence[Audio], against: Any = None) -> np.ndarray:
        return np.array([float(clip.samples.abs().mean()) for clip in clips])


class Distance(Metric):
    """Mean absolute difference to the reference."""

    name: ClassVar[str] = "distance"
    kind: ClassVar[Literal["alignment", "preservation", "quality"]] = "preservation"
    unit: ClassVar[str] = "full scale"

    def score(self, clips: Sequence[Audio], against: Any = None) -> np.ndarray:
        return np.array([float((a.samples - b.samples).abs().mean()) for a, b in zip(clips, against, strict=True)])


@pytest.fixture(scope="module")
def caa(model: tiny.Tiny) -> CAAArtifact:
    return CAA(pairs=3).fit(model, TEMPO, seeds=(0, 1))


def test_localisation_spends_l_plus_two_generations_per_pair_and_seed(model: tiny.Tiny) -> None:
    seen: list[tuple[int, int]] = []
    localize(model, TEMPO, Loudness(), pairs=2, seeds=(0, 1, 2), progress=lambda *now: seen.append(now))
    assert seen[-1] == (2 * 3 * (3 + 2),) * 2


def test_localisation_is_equation_nine_on_hand_made_runs(model: tiny.Tiny) -> None:
    found = localize(model, TEMPO, Loudness(), base="opposite", pairs=2, seeds=(5,))

    def loud(*items: Any, template: str) -> float:
        pairs = enumerate(TEMPO.prompts[:2])
        rows = [Row(prompt, seed_at(5, place), template, interventions=items) for place, prompt in pairs]
        return float(np.mean(Loudness().score([clip.audio for clip in run(model, rows)])))

    source, target = loud(template="slow {p}"), loud(template="fast {p}")
    for layer in range(3):
        patched = loud(PatchText("fast {p}", (layer,)), template="slow {p}")
        assert found.values[layer] == pytest.approx((patched - source) / (target - source), rel=1e-3)
    assert found.effect == pytest.approx(target - source, rel=1e-3)
    assert (found.base, found.readout, found.paths[1]) == ("opposite", "loudness", "transformer_blocks.1.attn2")


def test_localisation_result_as_table_json_and_picture(model: tiny.Tiny, tmp_path: Path) -> None:
    found = localize(model, TEMPO, Loudness(), pairs=3)
    again = Impact.from_json(found.to_json())
    assert again.table() == found.table()
    assert all(row["low"] <= row["impact"] <= row["high"] for row in found.table())
    assert found.top(3) == (0, 1, 2)
    assert found.top(1) == (int(np.argmax(found.values)),)
    assert found.plot(tmp_path / "impact.png").stat().st_size > 1000
    with pytest.raises(SpecError, match="1 to 3"):
        found.top(4)
    with pytest.raises(SpecError, match="not a localisation result"):
        Impact.from_json("{}")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"base": "middle"}, "neutral or opposite"),
        ({"pairs": 4}, "1 to 3"),
        ({"seeds": ()}, "seeds"),
        ({"readout": Distance()}, "alignment metric"),
    ],
)
def test_localisation_refuses_bad_input(model: tiny.Tiny, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        localize(model, TEMPO, **{"readout": Loudness(), "pairs": 3, **options})


def test_localisation_of_a_missing_layer(model: tiny.Tiny) -> None:
    with pytest.raises(UnknownNameError, match="layer '8'"):
        localize(model, TEMPO, Loudness(), layers=(8,), pairs=3)


def test_collected_means_are_those_of_a_hand_written_hook(model: tiny.Tiny) -> None:
    seen: list[torch.Tensor] = []
    handle = model.denoiser.transformer_blocks[1].attn2.register_forward_hook(
        lambda *args: seen.append(args[2].clone())
    )
    rows = Generation("a song", seeds=(0, 1)).rows()
    try:
        means = collect(model, rows, (1,))
    finally:
        handle.remove()
    expected = torch.stack([h[2:, 1:].mean(1) for h in seen], dim=1)
    assert means.shape == (2, 4, 1, 32)
    assert torch.equal(means[:, :, 0], expected)


def test_caa_vectors_are_unit_differences_of_means(model: tiny.Tiny, caa: CAAArtifact) -> None:
    sides = []
    for template in ("fast {p}", "slow {p}"):
        pairs = [(prompt, seed_at(seed, n)) for n, prompt in enumerate(TEMPO.prompts) for seed in (0, 1)]
        rows = [Row(prompt, seed, template) for prompt, seed in pairs]
        sides.append(collect(model, rows).mean(0))
    v = torch.nn.functional.normalize(sides[0] - sides[1], dim=-1)
    for layer in range(3):
        assert torch.allclose(caa.tensors[f"layer.{layer}"], v[:, layer], atol=1e-4)
        assert torch.allclose(caa.tensors[f"layer.{layer}"].norm(dim=-1), torch.ones(4))


def test_caa_steers_along_its_own_direction(model: tiny.Tiny, caa: CAAArtifact) -> None:
    rows = Generation("a loud tune", seeds=(0, 1, 2, 3))
    v = caa.tensors["layer.0"]
    along = []
    for strength in (-1.0, 0.0, 1.0):
        means = collect(model, rows.rows(caa.on((0,)).at(strength)), (0,), slot="residual")[:, 0, 0]
        along.append(float((means @ v[0]).mean()))
    assert along[0] < along[1] < along[2]


@pytest.mark.parametrize("method", [CAA(pairs=2), PCI()])
def test_zero_is_nothing_and_both_signs_change_the_audio(model: tiny.Tiny, method: Any) -> None:
    artifact = method.fit(model, TEMPO)
    plain, zero, more, less = (
        run(model, Generation("a song").rows(items))[0].latents
        for items in ((), artifact.at(0.0), artifact.at(0.75), artifact.at(-0.75))
    )
    assert torch.equal(zero, plain)
    assert not torch.allclose(more, plain, rtol=1e-3)
    assert not torch.allclose(less, more, rtol=1e-3)


def test_a_full_switch_is_the_other_prompt(model: tiny.Tiny) -> None:
    artifact = PCI().fit(model, TEMPO)
    switched = run(model, Generation("a song").rows(artifact.at(1.0)))[0].latents
    positive = run(model, Generation("a song", template="fast {p}").rows())[0].latents
    assert (switched - positive).abs().max() <= 1e-5 * positive.abs().max()


def test_pci_switches_the_last_steps(model: tiny.Tiny) -> None:
    artifact = PCI().fit(model, TEMPO)
    assert isinstance(artifact.at(0.5)[0], SwitchPrompt)
    assert isinstance(artifact.on((1,)).at(0.5)[0], PatchText)
    for steps in (4, 10, 20, 30):
        for a in range(1, steps + 1):
            assert sum(artifact.at(a / steps)[0].schedule.gains(steps)) == a
    assert sum(artifact.at(-3, "raw")[0].schedule.gains(4)) == 3
    assert artifact.at(-3, "raw")[0].prompt == "slow {p}"
    with pytest.raises(SpecError, match="whole trajectory"):
        artifact.at(1.1)


def test_units_are_named(caa: CAAArtifact) -> None:
    assert caa.at(2.0)[0].unit == "norm"
    assert caa.at(2.0, "raw")[0].unit == "raw"
    with pytest.raises(SpecError, match="norm, raw, dose"):
        caa.at(1.0, "share")


def test_artifact_is_saved_and_loaded_bit_for_bit(model: tiny.Tiny, caa: CAAArtifact, tmp_path: Path) -> None:
    scaled = calibrate(model, caa, Distance(), prompts=1)
    read = CAAArtifact.from_pretrained(scaled.save_pretrained(tmp_path / "caa"))
    assert read.at(0.3, "dose") == scaled.at(0.3, "dose")
    assert (read.concept, read.layers, read.steps, read.dose) == (
        scaled.concept,
        scaled.layers,
        scaled.steps,
        scaled.dose,
    )
    assert all(torch.equal(read.tensors[key], value) for key, value in scaled.tensors.items())
    card = (tmp_path / "caa" / "README.md").read_text()
    assert "caa" in card
    assert "tempo" in card


def test_artifact_files_that_are_damaged_or_foreign(caa: CAAArtifact, tmp_path: Path) -> None:
    folder = caa.save_pretrained(tmp_path / "caa")
    with pytest.raises(ArtifactError, match="made by 'caa'"):
        PCIArtifact.from_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "artifact.safetensors").write_bytes(b"no")
    with pytest.raises(ArtifactError, match=r"artifact\.safetensors"):
        CAAArtifact.from_pretrained(folder)
    for broken, words in (({**config, "format": 9}, "format"), ({"format": 1}, "lacks")):
        (folder / "config.json").write_text(json.dumps(broken))
        with pytest.raises(ArtifactError, match=words):
            CAAArtifact.from_pretrained(folder)


def test_an_artifact_that_is_nowhere_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="tada fit"):
        CAAArtifact.from_pretrained(tmp_path / "nothing")


def test_artifact_of_another_model_or_width(caa: CAAArtifact, model: tiny.Tiny) -> None:
    from attrs import evolve

    caa.check(model)
    with pytest.raises(ArtifactError, match="not on 'tiny'"):
        evolve(caa, model="other").check(model)
    with pytest.raises(ArtifactError, match="width 64"):
        evolve(caa, width=64).check(model)
    with pytest.raises(ArtifactError, match="not fitted on layers"):
        caa.on((5,))


def test_dose_one_is_the_change_of_a_prompt_swap(model: tiny.Tiny) -> None:
    artifact: Artifact = calibrate(model, PCI().fit(model, TEMPO), Distance(), prompts=2)
    assert artifact.dose is not None
    assert dict(artifact.dose.points)[1.0] == pytest.approx(1.0, abs=1e-3)
    assert dict(artifact.dose.points)[-1.0] == pytest.approx(-1.0, abs=1e-3)
    assert artifact.at(0.0, "dose") == ()


def test_dose_is_interpolated_and_never_extrapolated() -> None:
    scale = DoseScale("d", "norm", ((-2.0, -0.5), (0.0, 0.0), (1.0, 0.4), (2.0, 1.2)))
    assert scale.strength(0.8) == pytest.approx(1.5)
    assert scale.strength(-0.25) == pytest.approx(-1.0)
    assert scale.strength(0) == 0
    with pytest.raises(DoseError, match=r"largest on this side is -0\.5"):
        scale.strength(-0.6)
    with pytest.raises(SpecError, match=r"\(0, 0\)"):
        DoseScale("d", "norm", ((1.0, 1.0),))


def test_dose_needs_calibration(caa: CAAArtifact) -> None:
    with pytest.raises(DoseError, match="calibrate"):
        caa.at(1.0, "dose")


def test_bootstrap_covers_the_mean_and_narrows_with_more_data() -> None:
    draw = np.random.default_rng(0)
    widths = []
    for prompts in (8, 128):
        data = draw.normal(3.0, 1.0, (prompts, 4))
        low, high = bootstrap(lambda p, s, data=data: data[p, s].mean(), prompts, 4)  # type: ignore[misc]
        assert low < data.mean() < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 1.5


def test_no_two_prompts_of_a_set_share_their_noise(model: tiny.Tiny) -> None:
    assert seed_at(5, 0) == 5
    assert len({seed_at(seed, place) for seed in range(10) for place in range(100)}) == 1000
    seen: set[tuple[str, int]] = set()

    class Watching(tiny.Tiny):
        def sample(self, batch: Any) -> torch.Tensor:
            seen.update(zip(batch.texts, batch.seeds, strict=True))
            return super().sample(batch)

    localize(Watching(model.pipe), TEMPO, Loudness(), layers=(0,), pairs=3, seeds=(7,))
    donors = {0}  # their text is read from a call of its own
    assert {seed for _, seed in seen} - donors == {7, 1007, 2007}
