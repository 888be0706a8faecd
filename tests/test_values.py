"""Specs as data: JSON round trip, hashes, strictness, tensors by content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tada_core import (
    Ablate,
    AddVector,
    BlendScore,
    Concept,
    Generation,
    LowRankAdd,
    PatchKV,
    PatchText,
    Row,
    SAEDecodeAdd,
    Schedule,
    Settings,
    ShiftPrompt,
    ShiftTokens,
    Site,
    SparseAutoencoder,
    SwitchPrompt,
    TensorRef,
    content_hash,
    from_dict,
    load_spec,
    save_spec,
    to_dict,
)
from tada_core.errors import SpecError, UnknownNameError
from tada_core.interventions import donors_of, sites_of


def ref(*shape: int, seed: int = 0) -> TensorRef:
    return TensorRef.of(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)))


SAE = SparseAutoencoder(ref(4, 8), ref(8), ref(8, 4), ref(4), k=2)
ALL = (
    PatchText("{p}, fast", (2, 1, 1)),
    PatchKV("a tune", 3, slots=("v",), branch="cond"),
    AddVector(Site("out", 1), ref(4), 0.5, unit="norm", schedule=Schedule(0.2, 0.8, 1.0, 0.0)),
    SAEDecodeAdd(Site("out", 1), SAE, (0, 7), (1.0, -2.0), -3, mode="edit"),
    Ablate(Site("residual", 0)),
    Ablate(Site("k", 0), ref(4), 0.5),
    SwitchPrompt("other", Schedule(0.5)),
    AddVector(Site("out", 1), ref(4), -0.5, unit="scale", branch="text"),
    Ablate(Site("out", 1), ref(4), 2.0, rectified=True, renorm=True),
    LowRankAdd(Site("q", 1), ref(2, 4), ref(4, 2), -1.0),
    ShiftTokens("calm", ref(4), 2.0),
    ShiftPrompt("a", "b", 1.0),
    BlendScore("a", "b", 1.0),
)


@pytest.mark.parametrize(
    "value", [*ALL, ALL, Row("x", 1, "{p}!", Settings(steps=3), ALL), Generation("x", (1, 2), steps=4)]
)
def test_json_round_trip(value: Any) -> None:
    text = json.dumps(to_dict(value))
    assert from_dict(json.loads(text)) == value
    assert content_hash(from_dict(json.loads(text))) == content_hash(value)


def test_json_holds_no_tensor() -> None:
    assert set(to_dict(ALL[2])["vector"]) == {"digest", "shape"}


def test_hash_follows_content_not_identity() -> None:
    one, other = ref(4), ref(4)
    assert one == other
    assert content_hash(AddVector(Site("out", 1), one, 1)) == content_hash(AddVector(Site("out", 1), other, 1.0))
    assert content_hash(AddVector(Site("out", 1), ref(4, seed=1), 1)) != content_hash(AddVector(Site("out", 1), one, 1))


def test_spec_files_carry_their_tensors(tmp_path: Path) -> None:
    row = Row("x", interventions=ALL)
    path = save_spec(row, tmp_path / "spec.json")
    read = load_spec(path)
    assert read == row
    assert torch.equal(read.interventions[2].vector.tensor(), row.interventions[2].vector.tensor())


def test_spec_without_its_tensors_says_what_to_do(tmp_path: Path) -> None:
    path = save_spec(Row("x", interventions=ALL), tmp_path / "spec.json")
    path.with_suffix(".safetensors").unlink()
    with pytest.raises(SpecError, match="load_spec"):
        load_spec(path).interventions[2].vector.tensor()


def test_spec_with_changed_tensors_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = save_spec(ALL[2], tmp_path / "spec.json")
    beside = path.with_suffix(".safetensors")
    save_file({key: value + 1 for key, value in load_file(beside).items()}, beside)
    with pytest.raises(SpecError, match="changed"):
        load_spec(path)


@pytest.mark.parametrize("content", ["", "[", '{"type": "Row"'])
def test_broken_spec_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "spec.json").write_text(content)
    with pytest.raises(SpecError, match="cannot read the spec"):
        load_spec(tmp_path / "spec.json")


def test_unknown_type_names_its_neighbours() -> None:
    with pytest.raises(UnknownNameError, match="AddVector"):
        from_dict({"type": "AddVectr"})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"type": "Generation", "prompt": "x", "sedes": [1]}, "sedes"),
        ({"type": "Generation"}, "prompt"),
        ({"type": "Generation", "prompt": "  "}, "empty"),
        ({"type": "Generation", "prompt": "x", "seeds": []}, "seeds"),
        ({"type": "Schedule", "start": 0.5, "end": 0.5}, "start"),
        ({"type": "Schedule", "start": -1}, ">= 0.0"),
        ({"type": "Site", "slot": "out"}, "needs a layer"),
        ({"type": "Site", "slot": "prompt", "layer": 1}, "has no layer"),
        ({"type": "Site", "slot": "heart", "layer": 1}, "heart"),
        ({"type": "PatchText", "donor": "x", "layers": []}, "at least one layer"),
        ({"type": "PatchText", "donor": "x", "layers": [1], "branch": "left"}, "left"),
        ({"type": "BlendScore", "positive": "x", "negative": "y", "strength": float("nan")}, "finite"),
    ],
)
def test_bad_data_is_one_clear_error(data: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        from_dict(data)


def test_autoencoder_features_must_exist() -> None:
    with pytest.raises(SpecError, match="0 to 7"):
        SAEDecodeAdd(Site("out", 1), SAE, (8,), (1.0,), 1)
    with pytest.raises(SpecError, match="one weight each"):
        SAEDecodeAdd(Site("out", 1), SAE, (1, 2), (1.0,), 1)


def test_sites_and_donors_of_every_intervention() -> None:
    assert {str(site) for item in ALL for site in sites_of(item)} == {
        *("text[1]", "text[2]", "v[3]", "out[1]", "residual[0]", "q[1]", "k[0]", "prompt", "score")
    }
    assert [donors_of(item) for item in ALL] == [
        *[("{p}, fast",), ("a tune",), (), (), (), (), ("other",), (), (), (), (), ("a", "b"), ("a", "b")]
    ]


def test_schedule_gain_is_a_line_inside_its_window() -> None:
    ramp = Schedule(0.25, 0.75, 0.0, 2.0)
    assert ramp.gains(8) == (0, 0, 0, 0.5, 1.0, 1.5, 0, 0)
    assert Schedule(0.5).gains(4) == (0, 0, 1, 1)


def test_generation_makes_a_row_per_seed_and_flattens_groups() -> None:
    rows = Generation("tune", seeds=(3, 4), template="{p}, bright", steps=5).rows(ALL[0], (ALL[4], ALL[6]))
    assert [(row.seed, row.text, row.settings.steps, row.interventions) for row in rows] == [
        (seed, "tune, bright", 5, (ALL[0], ALL[4], ALL[6])) for seed in (3, 4)
    ]


def test_concept_sides_and_queries() -> None:
    concept = Concept("tempo", "{p}, fast", "{p}, slow", ("a tune",), ("a song",), queries={"": "fast", "muq": "quick"})
    assert concept.text("positive", "a tune") == "a tune, fast"
    assert concept.side("opposite") == "{p}, slow"
    assert (concept.query("muq"), concept.query("clap")) == ("quick", "fast")
    with pytest.raises(SpecError, match="neutral"):
        concept.side("middle")
    with pytest.raises(SpecError, match=r"\{p\}"):
        Concept("x", "fast", "{p}", ("a",), ("b",))
    with pytest.raises(SpecError, match="base prompts"):
        Concept("x", "{p} a", "{p} b", (), ("b",))


def test_a_low_rank_change_must_fit_a_projection():
    with pytest.raises(SpecError, match="slot q, k or v, not 'out\\[1\\]'"):
        LowRankAdd(Site("out", 1), ref(2, 4), ref(4, 2), 1.0)
    with pytest.raises(SpecError, match="rank 2 below and 3 above"):
        LowRankAdd(Site("q", 1), ref(2, 4), ref(4, 3), 1.0)
