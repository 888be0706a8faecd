"""The suites that come with the package."""

from __future__ import annotations

from tada_bench.suite import Arm, Fitting, Localization, Suite

CAA_ALL = (-0.7, -0.15, -0.05, 0.05, 0.15, 0.7)
CAA_LOCAL = (-1.5, -0.3, -0.1, 0.1, 0.3, 1.5)
PCI = (-1.0, -0.75, 0.75, 1.0)

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
    localization=Localization(pairs=4, base="opposite", top=2),
    fitting=Fitting(prompts=4),
    alignment=("probes", "listener"),
    quality=("listener-quality",),
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
    localization=Localization(pairs=8, seeds=(0, 1), base="opposite", top=2),
    fitting=Fitting(prompts=8, seeds=(0, 1)),
)
