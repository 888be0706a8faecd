"""The registry's own rules, on plugins made up in memory."""

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest
from attrs import frozen

import tada_registry as tada
from tada_core.entry import KINDS, Entry
from tada_core.errors import MissingExtraError, SpecError, TadaError, UnknownNameError
from tada_core.hookspecs import hookimpl
from tada_core.method import SteeringMethod
from tada_registry import front
from tada_registry.collect import HOOKS
from tada_registry.gate import Gate
from tada_registry.plugin import Plugin
from tada_registry.registry import Registry


@frozen
class Louder(SteeringMethod):
    name = "louder"
    amount: float
    renorm: bool = True

    def fit(self, model, concept, layers=None, seeds=(0,), progress=None):
        raise NotImplementedError


NUMBER = 3


@pytest.fixture
def plugin(monkeypatch):
    """Makes a plugin whose `tada_methods` returns what it is given."""

    def make(name, *entries, distribution="acme"):
        module = ModuleType(f"made_up_{distribution}_{name}")
        module.tada_methods = hookimpl(lambda: list(entries))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return Plugin(name, distribution, "1", EntryPoint(name, module.__name__, "tada"))

    return make


@pytest.fixture
def use(monkeypatch):
    """Puts plugins in the place of the installed ones, for the front door."""

    def install(*plugins):
        made = Registry(plugins, Gate())
        monkeypatch.setattr(front, "registry", lambda: made)
        return made

    return install


def method(name="louder", target=f"{__name__}:Louder", **rest):
    return Entry("method", name, target, **rest)


@pytest.fixture(autouse=True)
def _importable(monkeypatch):
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Louder.__module__])


def test_every_kind_has_its_hook():
    from tada_core import hookspecs

    assert list(HOOKS.values()) == list(KINDS)
    assert set(HOOKS) == {name for name in vars(hookspecs) if name.startswith("tada_")}


def test_the_gate_reads_names_between_commas():
    gate = Gate.from_environment({"TADA_ALLOW": "a, b,", "TADA_BLOCK": "b"})
    assert gate.refusal("a") is None
    assert "TADA_BLOCK" in gate.refusal("b")
    assert "TADA_ALLOW" in gate.refusal("c")
    assert Gate.from_environment({}).refusal("anything") is None


def test_a_blocked_plugin_is_not_imported():
    point = EntryPoint("bad", "no_such_module_at_all", "tada")
    made = Registry([Plugin("bad", "acme", "1", point)], Gate(block=frozenset(["bad"])))
    assert [record.problem.split(";")[0] for record in made.problems()] == ["blocked by TADA_BLOCK"]


def test_the_first_owner_of_a_name_keeps_it(plugin):
    made = Registry([plugin("one", method(summary="first")), plugin("two", method(summary="second"))], Gate())
    assert [entry.summary for entry in made.entries("method")] == ["first"]
    assert [record.plugin.name for record in made.problems()] == ["two"]


def test_the_same_name_is_free_under_another_kind(plugin):
    one = plugin("one", method("same"))
    sys.modules[one.point.value].tada_metrics = hookimpl(lambda: [Entry("metric", "same", "x:y")])
    assert [entry.kind for entry in Registry([one], Gate()).entries()] == ["method", "metric"]


def test_an_unknown_name_lists_its_neighbours_and_the_command(use, plugin):
    use(plugin("one", method()))
    with pytest.raises(UnknownNameError, match=r"unknown method 'lauder'; nearest: louder \(tada plugins\)"):
        tada.get_method("lauder")


def test_an_unknown_name_says_when_its_plugin_is_left_out(plugin):
    made = Registry([plugin("louder", method())], Gate(block=frozenset(["louder"])))
    with pytest.raises(UnknownNameError, match="plugin 'louder': blocked by TADA_BLOCK"):
        made.load("method", "louder")


def test_options_are_the_fields_of_the_class(use, plugin):
    use(plugin("one", method()))
    assert tada.get_method("louder", amount=2.0) == Louder(2.0)
    with pytest.raises(UnknownNameError, match="unknown option of method 'louder' 'amuont'; nearest: amount"):
        tada.get_method("louder", amuont=2.0)
    with pytest.raises(SpecError, match="missing a required argument: 'amount'"):
        tada.get_method("louder")


def test_a_target_of_another_kind_is_refused(use, plugin):
    use(plugin("one", method(target=f"{__name__}:NUMBER")))
    with pytest.raises(TadaError, match=r"plugin 'one' of acme\) is no tada_core.SteeringMethod class"):
        tada.get_method("louder")


def test_a_target_that_is_not_there_names_it(use, plugin):
    use(plugin("one", method(target=f"{__name__}:Nothing")))
    with pytest.raises(TadaError, match=r"method 'louder' cannot be loaded from .*:Nothing: AttributeError"):
        tada.get_method("louder")


def test_a_missing_module_without_an_extra_is_named_in_the_command(use, plugin):
    made = use(plugin("one", method(requires=("no_such_module_at_all",))))
    with pytest.raises(MissingExtraError, match=r"needs no_such_module_at_all: pip install no_such_module_at_all$"):
        tada.get_method("louder", amount=1.0)
    assert made.records[0].row()["installed"] is False


def test_first_party_targets_lie_in_their_own_plugin():
    ours = [record for record in tada.records() if record.plugin.distribution == "tada-core"]
    assert len(ours) >= 15
    for record in ours:
        assert record.entry is not None, record.problem
        assert record.entry.target.startswith(f"{record.plugin.point.value}."), record.entry


def test_installed_first_party_plugins_are_all_there():
    names = {plugin.name for plugin in tada.plugins() if plugin.distribution == "tada-core"}
    assert names >= {"etude", "caa", "pci", "probes", "preservation", "concepts", "bench"}
    assert {entry.name for entry in tada.entries("concept")} >= {"tempo", "brightness", "register", "drums", "mode"}
