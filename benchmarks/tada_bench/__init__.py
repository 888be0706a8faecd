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
    "default": ("DEFAULT", "CAA and PCI on tempo, brightness and drums of etude: minutes on two cores."),
    "etude-full": ("ETUDE_FULL", "Five concepts of etude, narrower intervals: half an hour on two cores."),
}


@hookimpl
def tada_suites() -> list[Entry]:
    """The suites that come with the package."""
    return [Entry("suite", name, f"tada_bench.suites:{target}", summary) for name, (target, summary) in _SUITES.items()]


@hookimpl
def tada_commands() -> list[Entry]:
    """The sub-commands of `tada`."""
    return [
        Entry("command", name, f"tada_bench.commands.{target}", summary)
        for name, (target, summary) in _COMMANDS.items()
    ]
