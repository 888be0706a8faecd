"""Attribution patching: the gradient is the slope of patching, and proposes the layers that patching finds."""

import json

import pytest
import tiny
import torch
from models.cases import SMALL

import tada_registry as tada
from tada_attribution.attribution import attribute, cost, share, spaced
from tada_attribution.gates import gated
from tada_core import Concept, Generation, Pair, Row, Settings, Site
from tada_core.engine.donors import read_donors
from tada_core.engine.replay import record
from tada_core.errors import SpecError, TadaError

SPEED = Concept("speed", "fast {p}", "slow {p}", prompts=("a calm song", "the piano tune"), evaluation=("a song",))
FAST, SLOW = "fast a calm song", "slow a calm song"


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """A model in double precision, so that slopes can be compared with differences."""
    return tiny.build(tmp_path_factory.mktemp("tiny"), torch.float64)


def states(model, steps=(1,)):
    row = Row("a calm song", template="slow {p}")
    layers = model.pick(None)
    donors = read_donors(model, [FAST, SLOW], Settings(), [Site("text", layer) for layer in layers])
    return donors, record(model, [row], [steps])


def along(model, state, donors, gates):
    """<v(gates) - v(source), d> / <d, d>, without gradients."""
    layers = model.pick(None)
    texts = {layer: donors.at(FAST, "cond", Site("text", layer)) for layer in layers}
    with torch.no_grad():
        source, target = (state.replay([donors.prompt(text, "cond")]) for text in (SLOW, FAST))
        with gated(model, layers, texts, gates):
            moved = state.replay([donors.prompt(SLOW, "cond")])
    way = target - source
    return float(((moved - source) * way).sum() / way.square().sum())


def test_shares_are_the_slopes_of_the_prediction(exact):
    donors, found = states(exact)
    shares = share(found[0], SLOW, FAST, donors, exact.pick(None))
    for layer in exact.pick(None):
        step = torch.zeros(len(exact.layers), dtype=torch.float64)
        step[layer] = 1e-2
        slope = (along(exact, found[0], donors, step) - along(exact, found[0], donors, -step)) / 2e-2
        assert shares[layer] == pytest.approx(slope, rel=1e-4, abs=1e-6)
    assert abs(shares).min() > 1e-5


def test_closed_gates_change_nothing_and_open_gates_are_a_patch(exact):
    """All gates open, every layer's output is the target's at its own input, as when the text of all is patched."""
    donors, (state,) = states(exact)
    count = len(exact.layers)
    assert along(exact, state, donors, torch.zeros(count)) == 0.0
    patched = exact.generate(Generation("a calm song", template="slow {p}", steps=4))
    assert along(exact, state, donors, torch.ones(count)) != 0.0
    again = exact.generate(Generation("a calm song", template="slow {p}", steps=4))
    assert torch.equal(patched[0].latents, again[0].latents)


def test_what_enters_by_cross_attention_alone_is_all_there(shelf):
    """MusicGen reads its text in these layers only, so open gates give the target's own prediction."""
    model = shelf.quick("musicgen")
    donors, (state,) = states(model, (2,))
    assert along(model, state, donors, torch.ones(len(model.layers))) == pytest.approx(1.0, abs=1e-4)


# The Brownian tree of Stable Audio Open's scheduler is asked for times outside its ends by a rounding error.
@pytest.mark.filterwarnings("ignore:Should have t:UserWarning")
@pytest.mark.parametrize("name", SMALL)
def test_every_model_can_be_attributed(shelf, name):
    model = shelf.quick(name)
    before = {key: value.clone() for key, value in model.denoiser.state_dict().items()}
    found = attribute(model, SPEED, base="opposite", pairs=2)
    assert found.patched.shape == (len(model.layers), 2, 1)
    assert abs(found.values).max() > 0
    assert found.readout == "prediction" and found.top(1)[0] in found.layers
    after = model.denoiser.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())
    assert all(parameter.grad is None for parameter in model.denoiser.parameters())
    assert not any("forward" in module.__dict__ for module in model.denoiser.modules())


def test_some_layers_have_the_shares_they_have_among_all(exact):
    whole = attribute(exact, SPEED, base="opposite", pairs=1)
    assert attribute(exact, SPEED, base="opposite", pairs=1, layers=[1]).values == pytest.approx(whole.values[1:2])


def test_pairs_are_prompts_of_their_own(exact):
    pair = Pair(FAST, SLOW)
    found = attribute(exact, SPEED, pairs=[pair])
    assert found.values == pytest.approx(attribute(exact, SPEED, base="opposite", pairs=1).values)
    assert (found.base, found.pairs) == ("pair", (pair,))


def test_states_are_evenly_spaced_and_alike(exact):
    assert (spaced(1, 16), spaced(2, 16), spaced(3, 9)) == ((8,), (4, 12), (1, 4, 7))
    donors, both = states(exact, (1, 3))
    shares = [share(state, SLOW, FAST, donors, exact.pick(None)) for state in both]
    found = attribute(exact, SPEED, base="opposite", pairs=1, states=2)
    assert found.values == pytest.approx(sum(shares) / 2)


def test_the_work_is_counted_in_clips(exact):
    """Four steps of two branches are eight passes; up to step 2 six, and four more for the state."""
    row = Row("a song", settings=Settings(steps=4))
    assert cost(exact, row, (2,), 4) == 5
    seen = []
    attribute(exact, SPEED, pairs=2, states=2, progress=lambda *at: seen.append(at))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"states": 5}, "ask for 1 to 4"),
        ({"states": 0}, "ask for 1 to 4"),
        ({"seeds": ()}, "no seeds"),
        ({"pairs": 3}, "has 1 to 2"),
        ({"base": "other"}, "choose neutral or opposite"),
        ({"layers": [9]}, "layers 0 to 2"),
    ],
)
def test_what_is_refused(exact, wrong, said):
    with pytest.raises(TadaError, match=said):
        attribute(exact, SPEED, **{"pairs": 1, **wrong})


def test_prompts_that_read_alike_are_refused(exact):
    """Words that the tokenizer does not know are all one token."""
    with pytest.raises(SpecError, match="read alike"):
        attribute(exact, SPEED, pairs=[Pair("a zither song", "a viola song")])


def test_on_etude_it_proposes_the_layers_that_patching_finds():
    """Brightness: 0, 4 and 7 carry it (docs/benchmark.md)."""
    found = attribute(tada.load_model("etude"), tada.get_concept("brightness"), base="opposite", pairs=2)
    assert found.top(3) == (0, 4, 7)
    assert found.generations <= 2


def test_the_command(tmp_path, capsys):
    from tada_bench.app import main

    picture = tmp_path / "map.png"
    with pytest.raises(SystemExit) as done:
        main(["attribute", "register", "--base", "opposite", "--pairs", "1", "--out", str(picture), "--json"])
    assert done.value.code == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["readout"], said["base"], len(said["layers"])) == ("prediction", "opposite", 8)
    assert picture.read_bytes()[:4] == b"\x89PNG"
