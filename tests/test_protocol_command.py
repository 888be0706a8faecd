"""`tada protocol` against numbers worked out by hand, a second implementation, and invariants."""

from __future__ import annotations

import csv
import json
import random
import statistics
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tada_bench.app import main
from tada_bench.plan import Point
from tada_bench.protocol.area import Version, area, boundary, path
from tada_bench.protocol.curve import Curve
from tada_bench.protocol.measured import measured
from tada_bench.protocol.roles import columns
from tada_bench.protocol.scores import limits, scores
from tada_bench.protocol.sheet import read
from tada_bench.protocol.smoothness import smoothness
from tada_bench.protocol.support import support
from tada_bench.results import Score as Clip
from tada_bench.results import gather
from tada_bench.tables import scores_csv

KEYS = [
    *("arm", "alignment", "auc", "auc_pos", "auc_neg"),
    *("smoothness", "smoothness_pos", "smoothness_neg", "cutoff_pos", "cutoff_neg"),
]
# Ceiling: positive min(2, 2.5) = 2, negative min(3, 2.5) = 2.5. Rows are in no order; lpaps goes back on one side.
HEAD = "arm,alpha,lpaps,clap"
CEILING = ["pci,0,0,0", "pci,1,2,.5", "pci,-1,3,-.5", "local,1,2.5,1", "local,-1,2.5,-1", "local,0,0,0"]
CAA = [
    "caa,2,1.5,.4",
    "caa,-1,2,0",
    "caa,0,0,.1",
    "caa,3,3,.7",
    "caa,-3,4,-.4",
    "caa,1,1,.2",
    "caa,-2,1,-.3",
    "caa,-4,3,-.4",
]
Row = tuple[str, float, float, float]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main(["protocol", *map(str, arguments)])
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return call


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    return write(tmp_path / "curves.csv", HEAD, *CEILING, *CAA)


def write(place: Path, *lines: str) -> Path:
    place.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def scored(run: Run, *arguments: object) -> dict[tuple[str, str], dict[str, float | None]]:
    status, out, err = run(*arguments, "--json")
    assert (status, err) == (0, "")
    return {(row["arm"], row["alignment"]): row for row in json.loads(out)}


def refused(result: tuple[int, str, str], *words: str) -> None:
    status, out, err = result
    assert (status, out, err[:7], err.count("\n")) == (2, "", "error: ", 1)
    assert not [word for word in words if word not in err], err


def test_v2_by_hand(run: Run, curves: Path) -> None:
    caa = scored(run, curves, "--ceiling", "pci", "--ceiling", "local")["caa", "clap"]
    assert list(caa) == KEYS
    assert (caa["cutoff_pos"], caa["cutoff_neg"]) == (2.0, 2.5)
    # x 0, 1, 1.5 | 3 with d 0, .1, .3 | .6; at 2 a third of the way from .3 to .6: .4. 1 x .05 + .5 x .2 + .5 x .35.
    assert caa["auc_pos"] == pytest.approx(0.325)
    # x 0, 2, 1 | 4, 3 with d 0, .1, .4 | .5, .5; at 2.5 half of the way from (2, .1), the largest x kept, to (3, .5),
    # the smallest dropped: .3. In the order of |a|: 2 x .05 - 1 x .25 + 1.5 x .35.
    assert caa["auc_neg"] == pytest.approx(0.375)
    assert caa["auc"] == pytest.approx(0.35)
    # d / .3: 0, 1/3, 1, steps 1/3 and 2/3; d / .4: 0, 1/4, 1, steps 1/4 and 3/4. The dropped point counts in neither.
    assert caa["smoothness_pos"] == pytest.approx(1 / 6)
    assert caa["smoothness_neg"] == pytest.approx(1 / 4)
    assert caa["smoothness"] == pytest.approx(5 / 24)


def test_v1_by_hand(run: Run, curves: Path) -> None:
    caa = scored(run, curves, "--ceiling", "pci", "--ceiling", "local", "--definition", "v1")["caa", "clap"]
    # No point at the cut-off: 1 x .05 + .5 x .2. By x: (0, 0), (1, .4), (2, .1): 1 x .2 + 1 x .25.
    assert caa["auc_pos"] == pytest.approx(0.15)
    assert caa["auc_neg"] == pytest.approx(0.45)
    assert caa["auc"] == pytest.approx(0.3)
    assert [caa["smoothness_pos"], caa["smoothness_neg"]] == [pytest.approx(1 / 6), pytest.approx(1 / 4)]


def test_the_ceiling_arm_is_not_cut_by_itself(run: Run, curves: Path) -> None:
    found = scored(run, curves, "--ceiling", "pci")
    assert found["pci", "clap"]["auc_pos"] == pytest.approx(0.5)
    assert found["pci", "clap"]["auc_neg"] == pytest.approx(0.75)
    # Two points have one step, and one step does not vary.
    assert found["pci", "clap"]["smoothness"] == 0


def test_fixed_cutoffs_come_before_the_ceiling_each_on_its_side(run: Run, curves: Path) -> None:
    caa = scored(run, curves, "--ceiling", "pci", "--cutoff-neg", 1)["caa", "clap"]
    assert (caa["cutoff_pos"], caa["cutoff_neg"]) == (2.0, 1.0)
    # Kept: x 0 and 1, d 0 and .4. A dropped point exists (x = 2), so (1, .4) is appended again: no area. Order of |a|.
    assert caa["auc_neg"] == pytest.approx(0.2)
    # x = 2 of strength -1 is dropped, x = 1 of strength -2 stays.
    assert caa["smoothness_neg"] == 0
    # Up to x = 1, where d is .1.
    other = scored(run, curves, "--ceiling", "pci", "--cutoff-pos", 1)["caa", "clap"]
    assert (other["cutoff_pos"], other["cutoff_neg"]) == (1.0, 3.0)
    assert other["auc_pos"] == pytest.approx(0.05)


def test_without_cutoffs_curves_count_to_their_ends(run: Run, curves: Path) -> None:
    caa = scored(run, curves)["caa", "clap"]
    assert (caa["cutoff_pos"], caa["cutoff_neg"]) == (None, None)
    assert caa["auc_pos"] == pytest.approx(0.15 + 1.5 * 0.45)
    assert caa["auc_neg"] == pytest.approx(0.1 - 0.25 + 3 * 0.45 - 0.5)


def test_a_curve_below_the_cutoff_is_not_extrapolated_and_the_reader_is_told(run: Run, curves: Path) -> None:
    options = ("--cutoff-pos", 9, "--cutoff-neg", 4)
    assert scored(run, curves, *options)["caa", "clap"]["auc_pos"] == pytest.approx(0.825)
    _, out, _ = run(curves, *options)
    assert "caa, side +: does not reach the cut-off 9.00; the curve ends at 3.00" in out
    assert "caa, side -" not in out


def test_one_side_leaves_the_other_and_the_means_undefined(run: Run, tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", HEAD, "up,0,0,0", "up,1,2,1", "none,0,0,0")
    found = scored(run, one, "--ceiling", "up")
    assert found["up", "clap"] == {
        **dict.fromkeys(KEYS),
        **{"arm": "up", "alignment": "clap", "auc_pos": 1.0, "smoothness_pos": 0.0, "cutoff_pos": 2.0},
    }
    assert found["none", "clap"]["auc_pos"] is None
    assert "up, side -: no strengths" in run(one)[1]


def test_a_side_that_never_gains_has_an_area_but_no_smoothness_nor_mean(run: Run, tmp_path: Path) -> None:
    lines = ("a,0,0,.5", "a,1,1,.4", "a,2,2,.3", "a,-1,1,.4", "a,-2,2,.1")
    (row,) = scored(run, write(tmp_path / "down.csv", HEAD, *lines)).values()
    # Not clipped: 1 x -.05 + 1 x -.15.
    assert row["auc_pos"] == pytest.approx(-0.2)
    assert (row["smoothness_pos"], row["smoothness"]) == (None, None)
    # d / .4: 0, 1/4, 1.
    assert row["smoothness_neg"] == pytest.approx(0.25)


def test_negative_gains_are_not_clipped_in_the_smoothness_either(run: Run, tmp_path: Path) -> None:
    lines = ("a,0,0,0", "a,1,1,-1", "a,2,2,1")
    (row,) = scored(run, write(tmp_path / "dip.csv", HEAD, *lines)).values()
    # Steps -1 and 2: mean .5, deviation 1.5.
    assert row["smoothness_pos"] == pytest.approx(1.5)


def test_rows_of_one_strength_count_as_their_mean(run: Run, tmp_path: Path) -> None:
    lines = ("a,0,0,.1", "a,0.0,0,.3", "a,1,1,.2", "a,1e0,3,.8")
    place = write(tmp_path / "rows.csv", HEAD, *lines)
    (row,) = scored(run, place, "--ceiling", "a").values()
    # x = 2, d = .5 - .2.
    assert [row["auc_pos"], row["cutoff_pos"]] == [pytest.approx(0.3), 2.0]
    assert "rows per strength" not in run(place)[1]
    assert "a: 1 to 2 rows per strength" in run(write(place, HEAD, *lines[1:]))[1]


def test_the_distance_at_strength_zero_is_what_the_file_says(run: Run, tmp_path: Path) -> None:
    place = write(tmp_path / "start.csv", HEAD, "a,0,1,0", "a,1,3,1")
    assert scored(run, place)["a", "clap"]["auc_pos"] == pytest.approx(1.0)
    assert "a: the distance at strength 0 is 1.00" in run(place)[1]
    assert scored(run, place, "--cutoff-pos", 0.5)["a", "clap"]["auc_pos"] is None
    assert "not even strength 0 is below the cut-off" in run(place, "--cutoff-pos", 0.5)[1]


def test_every_other_column_of_numbers_is_an_alignment(run: Run, tmp_path: Path) -> None:
    lines = ("arm,prompt,seed,alpha,Lpaps,clap,muq,note,", "a,7,0,0,0,0,0,x,", "a,7,1,1,1,2,4,y,")
    place = write(tmp_path / "two.csv", *lines)
    found = scored(run, place)
    assert {name: row["auc_pos"] for (_, name), row in found.items()} == {"clap": 1.0, "muq": 2.0}
    assert list(scored(run, place, "--alignment", "muq")) == [("a", "muq")]
    assert list(scored(run, place, "--alignment", "muq", "--alignment", "clap")) == [("a", "muq"), ("a", "clap")]
    swapped = scored(run, place, "--preservation", "muq", "--alignment", "Lpaps")
    assert swapped["a", "Lpaps"]["auc_pos"] == pytest.approx(2.0)


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_marks_delimiters_quotes_and_spaces(run: Run, tmp_path: Path, sign: str) -> None:
    lines = (' arm , "alpha", lpaps ,clap ', "", '"caa, {7;8}", 0, 0, 0.5', '"caa, {7;8}",1 ,2, 1.5')
    text = "\r\n".join(
        sign.join(f' "{cell}"' if "," in cell else cell for cell in row)
        for row in csv.reader(lines, skipinitialspace=True)
    )
    place = tmp_path / "odd.csv"
    place.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert scored(run, place)["caa, {7;8}", "clap"]["auc_pos"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("lines", "options", "words"),
    [
        ((), (), ("is empty", "arm, alpha")),
        ((HEAD,), (), ("no rows", "lpaps, clap")),
        ((HEAD, "a,0,0,0"), ("--preservation", "mel"), ("'mel'", "arm, alpha, lpaps, clap")),
        ((HEAD, "a,0,0,0"), ("--alignment", "muq"), ("'muq'", "arm, alpha, lpaps, clap")),
        ((HEAD, "a,0,0,0"), ("--alignment", "lpaps"), ("'lpaps'", "two of")),
        (("name,alpha,lpaps,clap", "a,0,0,0"), (), ("'arm'", "name, alpha, lpaps, clap")),
        (("arm,strength,lpaps,clap", "a,0,0,0"), (), ("'alpha'", "arm, strength")),
        (("arm,alpha,mel,clap", "a,0,0,0"), (), ("--preservation", "arm, alpha, mel, clap")),
        (("arm,alpha,lpaps,preservation,clap", "a,0,0,0,0"), (), ("--preservation", "lpaps, preservation")),
        (("arm,alpha,lpaps,note", "a,0,0,x"), (), ("no alignment column", "note")),
        (("arm,alpha,lpaps,clap,clap", "a,0,0,0,0"), (), ("two columns 'clap'",)),
        ((HEAD, "a,0,0,0", "", "a,1,x,0"), (), ("line 4", "'lpaps'", "'x'")),
        ((HEAD, "a,0,0,0", "a,1,1,"), (), ("line 3", "'clap'", "empty")),
        ((HEAD, "a,0,0,0", "a,1,1,nan"), (), ("line 3", "'clap'", "'nan'")),
        ((HEAD, "a,0,0,0", "a,inf,1,1"), (), ("line 3", "'alpha'", "'inf'")),
        ((HEAD, "a,0,0,0", ",1,1,1"), (), ("line 3", "'arm'", "empty")),
        ((HEAD, "a,0,0,0", "a,1,1,0,5"), (), ("line 3", "5 cells", "4")),
        ((HEAD, "a,0,0,0", "b,1,1,1", "b,-1,1,1"), (), ("arm 'b'", "no strength 0", "-1, 1")),
        ((HEAD, "a,0,0,0", "bee,0,1,1"), ("--ceiling", "pci"), ("unknown arm 'pci'", "a, bee")),
        ((HEAD, "a,0,0,0"), ("--cutoff-pos", "-1"), ("cut-off", "-1")),
        ((HEAD, "a,0,0,0"), ("--cutoff-neg", "nan"), ("cut-off", "nan")),
        ((HEAD, "a,0,0,0"), ("--definition", "v3"), ("definition", "v1", "v2")),
        ((HEAD, "a,0,0,0"), ("--out", "scores.xls"), ("scores.xls", ".json, .csv, .md")),
        (("concept,arm,alpha,lpaps,clap", "x,a,0,0,0", "y,a,0,0,0"), (), ("one file is one concept", "x, y")),
    ],
)
def test_what_cannot_be_scored_is_refused(
    run: Run, tmp_path: Path, lines: Sequence[str], options: Sequence[str], words: Sequence[str]
) -> None:
    refused(run(write(tmp_path / "bad.csv", *lines), *options), *words)


def test_files_that_are_missing_or_no_text_are_refused(run: Run, tmp_path: Path) -> None:
    refused(run(tmp_path / "none.csv"), "none.csv")
    (tmp_path / "wide.csv").write_bytes("arm,alpha\n".encode("utf-16"))
    refused(run(tmp_path / "wide.csv"), "wide.csv", "UTF-8")


def test_the_scores_are_written_as_the_suffix_says(run: Run, curves: Path, tmp_path: Path) -> None:
    written = {end: tmp_path / "new" / f"scores{end}" for end in (".json", ".csv", ".md")}
    printed = [run(curves, "--cutoff-pos", 2, "--out", place, "--json") for place in written.values()]
    rows = json.loads(printed[0][1])
    assert written[".json"].read_text() == printed[0][1] == printed[1][1]
    with written[".csv"].open() as file:
        read_back = list(csv.DictReader(file))
    assert [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows] == read_back
    assert "| caa | clap | " in written[".md"].read_text()
    assert "| 0.325 | " in written[".md"].read_text()


def test_the_table_has_every_arm_and_what_its_area_rests_on(run: Run, curves: Path) -> None:
    status, out, _ = run(curves, "--ceiling", "pci", "--ceiling", "local")
    lines = [line.split() for line in out.splitlines()]
    assert status == 0
    assert ["caa", "clap", "0.350", "0.325", "0.375", "0.208", "0.167", "0.250"] in lines
    # The pieces of the positive side are .05, .1 and .175 of .325; the widest stretch is from 0 to 1.
    assert ["caa", "clap", "+", "2.00", "3.00", "1.00", "15%", "54%"] in lines
    # Those of the negative one .1, .25 and .525 of .875; measured are 0, 1 and 2.
    assert ["caa", "clap", "-", "2.50", "4.00", "1.00", "11%", "60%"] in lines


def test_support_without_an_added_point_and_without_an_area() -> None:
    line = Curve([0, 1, 2], [0.0, 1.0, 4.0], [0.0, 2.0, 0.0])
    assert (support(line, None).interpolated, support(line, None).first) == (0.0, 0.25)
    assert support(line, 2.0, "v1").interpolated == 0.0
    assert support(line, None).gap == 3.0
    flat = support(Curve([0, 1], [0.0, 1.0], [0.0, 0.0]), None)
    assert (flat.first, flat.interpolated, flat.gap) == (None, None, 1.0)


def test_the_line_to_the_cutoff_is_never_drawn_backwards() -> None:
    near = Curve([0, 1, 2], [0.0, 1 + 0.9e-9, 1 + 1.1e-9], [0.0, 1.0, 2.0])
    assert boundary(near, 1.0) == 1.0
    assert path(near, 1.0).change[-1] == 1.0
    assert area(near, 1.0) == pytest.approx(0.5)


def test_the_scores_of_a_benchmark_are_such_a_file(run: Run, tmp_path: Path) -> None:
    """The clips' scores that `tada bench` writes give the areas that it prints."""
    draw = random.Random(0)
    strengths, seeds = (-2.0, -1.0, 0.0, 1.0, 2.0), (0, 1)
    clips = [
        Clip(Point("tempo", "caa", prompt, seed, a, f"{draw.getrandbits(64):016x}"), "bpm", draw.random(), abs(a))
        for prompt in ("one", "two", "three")
        for seed in seeds
        for a in strengths
    ]
    place = write(tmp_path / "scores.csv", scores_csv(clips).replace("strength", "alpha", 1))
    found = scored(run, place, "--alignment", "alignment", "--cutoff-pos", 1.5)["caa", "alignment"]
    arm = gather(clips, strengths, seeds)
    assert arm is not None
    assert found["auc_pos"] == pytest.approx(area(arm.curve(1), 1.5))
    assert found["auc_neg"] == pytest.approx(area(arm.curve(-1), None))
    assert found["smoothness_neg"] == pytest.approx(smoothness(arm.curve(-1), None))


# Multiples of 1/32, and cut-offs half-way between: no point lies within rounding of a cut-off.
points = st.tuples(
    st.sampled_from(["a", "b"]),
    st.integers(-4, 4).map(float),
    st.integers(0, 96).map(lambda n: n / 32),
    st.integers(-64, 64).map(lambda n: n / 32),
)
tables = st.lists(points, min_size=8, max_size=30).map(
    lambda rows: [("a", 0.0, 0.0, 0.5), ("b", 0.0, 0.0, 0.25), *rows]
)
cuts = st.none() | st.integers(0, 110).map(lambda n: n / 32 + 1 / 64)
versions: st.SearchStrategy[Version] = st.sampled_from(["v2", "v1"])
Scored = dict[str, dict[str, str | float | None]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("protocol") / "curves.csv"


def score(place: Path, rows: Sequence[Row], cut: float | None, version: Version) -> Scored:
    sheet = read(write(place, HEAD, *(",".join(map(str, row)) for row in rows)))
    arms = measured(sheet, *columns(sheet))
    return {found.arm: found.row() for found in scores(arms, limits(arms, (), (cut, cut)), version)}


def by_hand(rows: Sequence[Row], arm: str, sign: int, cut: float | None, version: Version) -> list[float | None]:
    """Area and smoothness of one direction, written down once more: lists, no arrays, no curves."""
    groups: dict[float, list[Row]] = {}
    for row in rows:
        if row[0] == arm and sign * row[1] >= 0:
            groups.setdefault(abs(row[1]), []).append(row)
    if len(groups) == 1:
        return [None, None]
    x = {a: statistics.fmean(row[2] for row in own) for a, own in groups.items()}
    sim = {a: statistics.fmean(row[3] for row in own) for a, own in groups.items()}
    track = [(x[a], sign * (sim[a] - sim[0])) for a in sorted(groups)]
    kept = [p for p in track if cut is None or p[0] <= cut + 1e-9]
    gone = [p for p in track if p not in kept]
    if not kept:
        return [None, None]
    top = max(max(d for _, d in kept), 0)
    steps = [(after[1] - before[1]) / top for before, after in pairwise(kept)] if top > 1e-9 else []
    if version == "v1":
        kept = sorted(kept, key=lambda p: p[0])
    elif gone and cut is not None:
        (x0, d0), (x1, d1) = max(kept, key=lambda p: p[0]), min(gone, key=lambda p: p[0])
        kept = [*kept, (cut, d0 + (cut - x0) / (x1 - x0) * (d1 - d0))]
    whole = sum((q[0] - p[0]) * (p[1] + q[1]) / 2 for p, q in pairwise(kept))
    return [whole, statistics.pstdev(steps) if steps else None]


@settings(deadline=None)
@given(rows=tables, cut=cuts, version=versions)
def test_scores_equal_a_second_implementation(
    place: Path, rows: list[Row], cut: float | None, version: Version
) -> None:
    for arm, row in score(place, rows, cut, version).items():
        for side, sign in (("pos", 1), ("neg", -1)):
            wanted = by_hand(rows, arm, sign, cut, version)
            found = [row[f"auc_{side}"], row[f"smoothness_{side}"]]
            assert found == [None if value is None else pytest.approx(value, abs=1e-9) for value in wanted]


@settings(max_examples=40, deadline=None)
@given(rows=tables, cut=cuts, version=versions, factor=st.integers(1, 5), more=st.integers(-8, 8))
def test_area_scales_with_the_gain_and_no_score_knows_where_the_alignment_starts(
    place: Path, rows: list[Row], cut: float | None, version: Version, factor: int, more: int
) -> None:
    before = score(place, rows, cut, version)
    after = score(place, [(arm, a, x, factor * sim + more) for arm, a, x, sim in rows], cut, version)
    for arm, row in before.items():
        for key in KEYS[2:8]:
            scale, value = (factor if key.startswith("auc") else 1), row[key]
            assert after[arm][key] == (None if value is None else pytest.approx(scale * float(value), abs=1e-9))


@settings(max_examples=40, deadline=None)
@given(rows=tables, version=versions)
def test_v1_and_v2_agree_where_the_distance_rises_and_nothing_is_dropped(
    place: Path, rows: list[Row], version: Version
) -> None:
    rising = [(arm, a, abs(a) / 2, sim) for arm, a, _, sim in rows]
    free, paper, cut = (score(place, rising, *case) for case in ((None, "v2"), (None, "v1"), (2.0, version)))
    assert free == paper
    assert [[row[key] for key in KEYS[:8]] for row in free.values()] == [
        [row[key] for key in KEYS[:8]] for row in cut.values()
    ]


@settings(max_examples=40, deadline=None)
@given(rows=tables, cut=cuts, version=versions, data=st.data())
def test_the_order_of_the_rows_changes_nothing(
    place: Path, rows: list[Row], cut: float | None, version: Version, data: st.DataObject
) -> None:
    mixed = data.draw(st.permutations(rows))
    # Not even the last digit.
    assert score(place, mixed, cut, version) == score(place, rows, cut, version)


@settings(max_examples=40, deadline=None)
@given(rows=tables, cut=cuts, version=versions)
def test_turning_strength_and_alignment_round_swaps_the_sides(
    place: Path, rows: list[Row], cut: float | None, version: Version
) -> None:
    turned = score(place, [(arm, -a, x, -sim) for arm, a, x, sim in rows], cut, version)
    for arm, row in score(place, rows, cut, version).items():
        assert [row["auc_pos"], row["smoothness_neg"]] == [turned[arm]["auc_neg"], turned[arm]["smoothness_pos"]]
