"""The suites that come with the package."""

from __future__ import annotations

from tada_bench.suite import Arm, Fitting, Localization, Suite

CAA_STRENGTHS = (-1.0, -0.5, -0.25, 0.25, 0.5, 1.0)
PCI_STRENGTHS = (-1.0, -0.7, -0.4, 0.4, 0.7, 1.0)

DEFAULT = Suite(
    name="default",
    model="etude",
    concepts=("tempo", "brightness", "drums"),
    arms=(
        Arm("caa", "all", CAA_STRENGTHS),
        Arm("caa", "local", CAA_STRENGTHS),
        Arm("pci", "all", PCI_STRENGTHS),
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
        Arm("caa", "all", CAA_STRENGTHS),
        Arm("caa", "local", CAA_STRENGTHS),
        Arm("pci", "all", PCI_STRENGTHS),
        Arm("pci", "local", PCI_STRENGTHS),
    ),
    prompts=16,
    seeds=(0, 1),
    localization=Localization(pairs=16, seeds=(0, 1), top=2),
    fitting=Fitting(prompts=16, seeds=(0, 1)),
)
