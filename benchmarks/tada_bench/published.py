"""The experiments of the papers as suites: TADA (arXiv 2602.11910) and Facchiano et al. (arXiv 2504.04479).

TADA's numbers: 100 evaluation prompts on one seed, 50 pairs to fit on, 15 strengths a side, spread evenly up to the
one that moves a clip as far as its prompt swap does, ACE-Step at 30 s, 30 steps and guidance 5 (the adapter's
defaults), and layers 6 and 7 (the paper's 7 and 8) as the local ones.

Differs from the papers: prompts are the project's own, every prompt has noise of its own, and the reach of a method is
measured on four fitting prompts instead of calibrated on all evaluation prompts. SAE trains small autoencoders unless
its option `source` names trained ones. Of Facchiano et al. the concepts, the method and the questions are theirs; the
abstract says no numbers, so that these are ours.
"""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve

from tada_bench.arm import REACH
from tada_bench.suite import Arm, Fitting, Instead, Localization, Suite

SIDE: Final = tuple(step / 15 for step in range(1, 16))
BOTH: Final = (*(-strength for strength in SIDE), *SIDE)
"""TADA's 30 strengths beside 0: shares of the reach, and for PCI shares of the trajectory, every second of 30 steps."""

FOUR: Final = ("piano", "vocal-gender", "song-tempo", "mood")
NINE: Final = (*FOUR, "vocal-style", "violin", "guitar", "rock-genre", "electronic-music")

FIGURE3: Final = (
    *("female-to-male", "male-to-female", "slow-to-fast", "fast-to-slow", "happy-to-sad", "sad-to-happy"),
    *("drums-to-saxophone", "flute-to-maracas", "maracas-to-flute", "trumpet-to-violin", "violin-to-trumpet"),
    *("guitar-to-piano", "jazz-to-opera", "reggae-to-metal", "techno-to-folk"),
)

AESTHETICS: Final = ("aesthetics-ce", "aesthetics-cu", "aesthetics-pc", "aesthetics-pq")
"""Quality: the four axes of Audiobox Aesthetics, whose mean the papers give."""

ON_ETUDE: Final = Instead(
    models=("etude",),
    concepts={
        **{"piano": "drums", "vocal-gender": "register", "song-tempo": "tempo", "mood": "mode"},
        **{"timbre": "brightness"},
        **{"fast-to-slow": "tempo", "happy-to-sad": "mode", "drums-to-saxophone": "drums"},
    },
    alignment=("probes", "listener"),
    preservation="listener-lpaps",
    quality=("listener-quality",),
)
"""Etude reads 32 tokens and few words, so that it has concepts and prompts of its own, which probes measure.

An idea of the same kind stands in for each: an instrument there or not, high against low, fast against slow, mood.
"""

LOCALIZATION: Final = Suite(
    name="tada-localization",
    model="ace-step",
    concepts=FIGURE3,
    arms=(),
    localization=Localization(
        pairs=256,
        seeds=range(8),
        base="opposite",
        readout="muq",
        readouts={"female-to-male": "clap", "male-to-female": "clap"},
    ),
    alignment=("muq", "clap"),
    preservation="lpaps",
    instead=ON_ETUDE,
)
"""Figure 3. Its 256 captions per concept come from a folder (`tada bench --captions`); templates give 50 at most."""


def swept(method: str, layers: str = "all", **options: Any) -> Arm:
    """An arm with the published strengths."""
    return Arm(method, layers, BOTH, REACH, options)


def _word(word: str, *concepts: str) -> dict[str, dict[str, str]]:
    words = {"positive_word": word, "negative_word": word, "anchor": word}
    return dict.fromkeys(concepts, words)


TOKENS: Final = evolve(
    swept("token-embedding"),
    each={
        **_word("song", "song-tempo", "mood", "rock-genre", "electronic-music"),
        **_word("vocal", "vocal-gender", "vocal-style"),
        **_word("guitar", "guitar"),
    },
    without=("piano", "violin", "timbre"),
)
"""The words that the published code moves. Where the negative prompt has no word to compare, the method has nothing."""

CEILING: Final = (Arm("pci", "all", BOTH), Arm("pci", "local", BOTH))

TABLE2: Final = Suite(
    name="tada-table2",
    model="ace-step",
    concepts=FOUR,
    arms=(*CEILING, swept("caa"), swept("caa", "rest"), swept("caa", "local")),
    prompts=100,
    localization=Localization(pairs=16, readout="muq", base="opposite", known=(6, 7)),
    fitting=Fitting(prompts=50),
    alignment=("muq", "clap"),
    preservation="lpaps",
    quality=AESTHETICS,
    instead=ON_ETUDE,
)

TABLE3: Final = evolve(
    TABLE2,
    name="tada-table3",
    arms=(
        *CEILING,
        swept("text-embedding"),
        TOKENS,
        swept("freesliders"),
        swept("austeer"),
        swept("caa"),
        swept("caa", "local"),
        swept("sae", "local", renorm=False),
    ),
)
"""The SAE of the first version adds without restoring the norm."""

V2: Final = evolve(
    TABLE2,
    name="tada-v2",
    concepts=NINE,
    arms=(
        *CEILING,
        swept("text-embedding"),
        TOKENS,
        *(swept(method, layers) for method in ("freesliders", "austeer", "caa") for layers in ("all", "local")),
        swept("concept-sliders"),
        swept("concept-sliders", "local"),
        swept("sae", "local"),
    ),
)

FACCHIANO: Final = Suite(
    name="facchiano",
    model="musicgen",
    concepts=("song-tempo", "timbre"),
    arms=(
        *(
            Arm("difference-in-means", layers, (-1.0, -0.75, -0.5, -0.25, 0.25, 0.5, 0.75, 1.0), REACH)
            for layers in ("all", "local", "rest", "0%", "25%", "50%", "75%", "100%")
        ),
        Arm("pci", "all", (-1.0, -0.5, 0.5, 1.0)),
    ),
    prompts=50,
    localization=Localization(pairs=50, base="opposite", readout="muq"),
    fitting=Fitting(prompts=50),
    alignment=("muq", "clap"),
    preservation="lpaps",
    quality=AESTHETICS,
    instead=ON_ETUDE,
)
"""Which layers, how strong, and all of them or one."""
