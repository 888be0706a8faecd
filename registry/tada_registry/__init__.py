"""The public front door: find plugins, look things up by name, load them at first use.

import tada_registry as tada

model = tada.load_model("etude")
tempo = tada.get_concept("tempo")
"""

from tada_registry.front import (
    calibrate,
    entries,
    get_concept,
    get_method,
    get_metric,
    get_suite,
    interference,
    load_artifact,
    load_model,
    localize,
    plugins,
    problems,
    records,
)

__all__ = [
    "calibrate",
    "entries",
    "get_concept",
    "get_method",
    "get_metric",
    "get_suite",
    "interference",
    "load_artifact",
    "load_model",
    "localize",
    "plugins",
    "problems",
    "records",
]
