"""The suites that come with the package."""

from __future__ import annotations

from tada_bench.suite import Arm, Fitting, Localization, Suite

CAA_ALL = (-1.0, -0.5, -0.25, 0.25, 0.5, 1.0)
CAA_LOCAL = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
PCI = (-1.0, -0.8, -0.6, 0.6, 0.8, 1.0)

DEFAULT = Suite(
    name="default",
    model="etude",
    concepts=("tempo", "brightness", "drums"),
    arms=(
        Arm("caa", "all", CAA_ALL),
        Arm("caa", "local", CAA_LOCAL),
        Arm("pci", "all", PCI),
    ),
    prompts=4,
    localization=Localization(pairs=4, top=2),
    fitting=Fitting(prompts=4),
)

ETUDE_FULL = Suite(
    name="etude-full",
    model="etude",
    concepts=("tempo", "brightness", "register", "drums", "mode"),
    arms=(
        Arm("caa", "all", CAA_ALL),
        Arm("caa", "local", CAA_LOCAL),
        Arm("pci", "all", PCI),
        Arm("pci", "local", PCI),
    ),
    prompts=12,
    seeds=(0, 1),
    localization=Localization(pairs=8, seeds=(0, 1), top=2),
    fitting=Fitting(prompts=8, seeds=(0, 1)),
)
