"""The benchmark harness and the `tada` command."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl

_COMMANDS = {
    "plugins": ("plugins:plugins", "List models, methods, metrics, concepts, suites, commands, and what is wrong."),
    "layers": ("layers:layers", "Print the layer table of a model."),
    "localize": ("localize:localize", "Measure how much of a concept each layer carries."),
    "fit": ("fit:fit", "Fit a steering method to a concept and save the artefact."),
    "interference": ("interference:interference", "Measure how fitted artefacts disturb each other."),
    "generate": ("generate:generate", "Generate clips, steered or not."),
    "bench": ("bench:bench", "Run a benchmark suite and write its page."),
    "report": ("report:report", "Write the page of a finished benchmark again."),
    "protocol": ("protocol:protocol", "Score anyone's curves from a CSV file by the published protocol."),
    "new-plugin": ("new_plugin:new_plugin", "Write a small plugin project, ready to install."),
}

_SUITES = {
    "default": ("suites:DEFAULT", "CAA and PCI on tempo, brightness and drums of etude: minutes on two cores."),
    "etude-full": ("suites:ETUDE_FULL", "Five concepts of etude, narrower intervals: half an hour on two cores."),
    "tada-localization": ("published:LOCALIZATION", "TADA's figure 3: which layers of ACE-Step carry fifteen ideas."),
    "tada-table2": ("published:TABLE2", "TADA's table 2: CAA on all layers of ACE-Step, on two, on the other 22."),
    "tada-table3": ("published:TABLE3", "TADA's table 3: eight ways to steer four concepts in ACE-Step."),
    "tada-v2": ("published:V2", "TADA's second benchmark: nine concepts, all methods, all and local layers."),
    "facchiano": ("published:FACCHIANO", "Facchiano et al.: tempo and timbre in the residual stream of MusicGen."),
}


@hookimpl
def tada_suites() -> list[Entry]:
    """The suites that come with the package."""
    return [Entry("suite", name, f"tada_bench.{target}", summary) for name, (target, summary) in _SUITES.items()]


@hookimpl
def tada_commands() -> list[Entry]:
    """The sub-commands of `tada`."""
    return [
        Entry("command", name, f"tada_bench.commands.{target}", summary)
        for name, (target, summary) in _COMMANDS.items()
    ]
