"""How well the listener hears: retrieval, concepts in synthesised and generated clips, distances, quality.

python benchmarks/truth/listener.py --update-docs    # writes benchmarks/truth/listener.json and docs/listener.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import attrs
import numpy as np
import numpy.typing as npt
import torch
from clips import Clips, decoder, measured, round_trip
from places import fill
from roc import auc, interval
from scipy.stats import spearmanr

import tada_registry as tada
from tada_core import Artifact, Generation
from tada_core.audio import Audio
from tada_etude.listener.damage import KINDS, damage
from tada_etude.listener.metrics import SHIPPED, Distance, Quality, Similarity
from tada_etude.listener.objective import VALUES, code
from tada_etude.synth import RATE, Attributes, caption, draw, named, render
from tada_preservation.metric import SpectralDistance
from tada_probes.probe import PROBES

Bools = npt.NDArray[np.bool_]
FIRST: Final = 40_000_000
"""Seed of the first clip: far from those of etude's training, of the listener's, and of the other tables."""

SIDES: Final[dict[str, tuple[object, object, str]]] = {
    "tempo": ("fast", "slow", "a slow tune"),
    "brightness": ("bright", "dark", "a tune with a dark tone"),
    "register": ("high", "low", "a tune in a low register"),
    "drums": (True, False, "a tune without drums"),
    "mode": ("major", "minor", "a sad tune in a minor key"),
}
"""Concept -> the values on both sides, and the opposite of its query. The query is the concept's own."""

PROMPTS: Final[dict[str, tuple[str, str]]] = {
    "tempo": ("a fast tune", "a slow tune"),
    "brightness": ("a bright tune", "a dark tune"),
    "register": ("a tune in a high register", "a tune in a low register"),
    "drums": ("a tune with drums", "a tune without drums"),
    "mode": ("a tune in a major key", "a tune in a minor key"),
}
"""What etude is asked for."""

STRENGTHS: Final = (0.05, 0.15, 0.45)
"""Of CAA on brightness, all layers, in norms of the activation."""

BASES: Final = ("a piano tune", "a guitar song", "an organ piece", "a flute melody", "a bell theme", "a melody")
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "listener.md"
RESULTS: Final = Path(__file__).with_suffix(".json")


def audio(clips: Clips) -> list[Audio]:
    """Clips as the metrics take them."""
    return [Audio(torch.from_numpy(np.ascontiguousarray(clip))[None], RATE) for clip in clips]


def full_caption(attributes: Attributes, seed: int) -> str:
    """A caption that names all six attributes."""
    chosen = next(s for s in range(100 * seed, 100 * seed + 10_000) if len(named(s)) == len(VALUES))
    return caption(attributes, chosen)


def retrieval(similarity: Similarity, pool: int) -> dict[str, Any]:
    """Recall in a pool of clips that differ in at least one attribute, captions saying all six."""
    found: dict[tuple[int, ...], Attributes] = {}
    seed = FIRST + 100_000
    while len(found) < pool:
        one = draw(seed)
        found.setdefault(tuple(code(one)), one)
        seed += 1
    clips = audio(np.stack([render(one) for one in found.values()]))
    heard = torch.stack([heard.embedding.mean(0) for heard in similarity.encoder.listen(clips)])
    texts = [full_caption(one, index) for index, one in enumerate(found.values())]
    read = torch.stack([similarity.encoder.read(text) for text in texts])
    scores = (heard @ read.T).numpy()
    made: dict[str, Any] = {"pool": pool, "possible": int(np.prod([len(values) for values in VALUES.values()]))}
    for way, table in (("text to audio", scores.T), ("audio to text", scores)):
        place = (table > np.diag(table)[:, None]).sum(1)
        made[way] = {f"recall@{k}": float((place < k).mean()) for k in (1, 5)}
    return made


def told_apart(
    similarity: Similarity, clips: Sequence[Audio], high: npt.NDArray[np.bool_], name: str
) -> dict[str, Any]:
    """AUC of the similarity to a concept's query between two sides, alone and less that to the opposite text."""
    concept = tada.get_concept(name)
    opposite = attrs.evolve(concept, queries={"": SIDES[name][2]})
    alone = similarity.score(clips, concept)
    less = alone - similarity.score(clips, opposite)
    return {
        "alone": auc(alone[high], alone[~high]),
        "interval": interval(alone[high], alone[~high]),
        "less the opposite": auc(less[high], less[~high]),
        "scores": alone.tolist(),
    }


def synthesised(similarity: Similarity, count: int, decoded: bool) -> dict[str, Any]:
    """Every concept in held-out clips, as synthesised or after etude's decoder."""
    truth = [draw(FIRST + i) for i in range(count)]
    waves = np.stack([render(one) for one in truth])
    clips, made = audio(round_trip(waves, decoder()) if decoded else waves), {}
    for name, (above, below, _) in SIDES.items():
        values = [getattr(one, name) for one in truth]
        kept = [i for i, value in enumerate(values) if value in (above, below)]
        high = np.array([values[i] == above for i in kept])
        made[name] = told_apart(similarity, [clips[i] for i in kept], high, name)
        del made[name]["scores"]
    return made


@cache
def brighter() -> Artifact:
    """CAA on brightness, on all layers."""
    return tada.get_method("caa", pairs=8).fit(tada.load_model("etude"), tada.get_concept("brightness"))


def generate(prompt: str, seeds: range, kept: Path | None, strength: float = 0.0) -> Clips:
    """Etude's clips [seeds, samples] of a prompt, made brighter, kept in a folder where one is named."""
    path = None if kept is None else kept / f"{prompt}, {strength}, {seeds.start} to {seeds.stop}.npy"
    if path is not None and path.exists():
        return np.asarray(np.load(path))
    edit = brighter().at(strength) if strength else ()
    clips = tada.load_model("etude").generate(Generation(prompt, seeds=tuple(seeds)), edit)
    made = [clip.audio.samples[0].numpy() for clip in clips]
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.stack(made))
    return np.stack(made)


def generated(similarity: Similarity, count: int, kept: Path | None) -> tuple[dict[str, Any], Clips]:
    """Every concept in etude's clips of opposite prompts, and how the similarity ranks them beside the probe."""
    made, everything = {}, []
    for name, prompts in PROMPTS.items():
        waves = np.concatenate([generate(prompt, range(7000, 7000 + count), kept) for prompt in prompts])
        found = told_apart(similarity, audio(waves), np.arange(2 * count) < count, name)
        probe = measured(waves, PROBES[name].measure, RATE)
        found["probe auc"] = auc(probe[:count], probe[count:])
        found["spearman"] = float(spearmanr(found.pop("scores"), probe).statistic)
        made[name] = found
        everything.append(waves)
    return made, np.concatenate(everything)


def distances(distance: Distance, count: int, kept: Path | None) -> tuple[dict[str, Any], dict[str, Clips]]:
    """How far CAA on brightness, another seed and small edits move clips, by the listener and by `spectral`."""
    prompts, steered = BASES[:count], {}
    plain = np.concatenate([generate(prompt, range(7100, 7101), kept) for prompt in prompts])
    steered["another seed"] = np.concatenate([generate(prompt, range(7200, 7201), kept) for prompt in prompts])
    for x in STRENGTHS:
        paths = [generate(prompt, range(7100, 7101), kept, x) for prompt in prompts]
        steered[f"brighter by CAA, {x}"] = np.concatenate(paths)
    rng = np.random.default_rng(0)
    loud = np.sqrt(np.mean(plain**2, axis=1, keepdims=True))
    steered["noise at -40 dB"] = (plain + 0.01 * loud * rng.standard_normal(plain.shape)).astype(np.float32)
    steered["half the amplitude"] = plain / 2
    made, pairs = {}, {"listener-lpaps": [], "spectral": []}
    for change, waves in steered.items():
        made[change] = {}
        for metric in (distance, SpectralDistance()):
            scores = metric.score(audio(waves), audio(plain))
            made[change][metric.name] = {"mean": float(scores.mean()), "each": scores.tolist()}
            pairs[metric.name] += scores.tolist()
    rise = [np.array(made[f"brighter by CAA, {x}"]["listener-lpaps"]["each"]) for x in STRENGTHS]
    growing = float(np.mean([(b > a).mean() for a, b in pairwise(rise)]))
    spearman = float(spearmanr(pairs["listener-lpaps"], pairs["spectral"]).statistic)
    return {"changes": made, "steps that grow": growing, "spearman with spectral": spearman}, steered


def damaged(quality: Quality, count: int) -> dict[str, Any]:
    """Rank correlation of the quality with the severity of damage, on held-out clips that went through the decoder."""
    box, made, every = decoder(), {}, ([], [])
    for number, kind in enumerate(KINDS):
        rng = np.random.default_rng((FIRST, number))
        seeds = [FIRST + 200_000 + 1000 * number + i for i in range(count)]
        sound = round_trip(np.stack([render(draw(seed)) for seed in seeds]), box)
        severity = rng.permutation((np.arange(count) + rng.random(count)) / count)
        worse = np.stack([damage(one, kind, float(s), rng, box) for one, s in zip(sound, severity, strict=True)])
        scores = quality.score(audio(worse))
        made[kind] = float(spearmanr(scores, -severity).statistic)
        every[0].extend(scores), every[1].extend(-severity)
    return {"kinds": made, "all": float(spearmanr(*every).statistic), "clips": count * len(KINDS)}


def levels(quality: Quality, groups: dict[str, Clips]) -> dict[str, Any]:
    """Median and quartiles of the quality of groups of clips."""
    scores = {name: quality.score(audio(clips)) for name, clips in groups.items()}
    return {name: [float(q) for q in np.quantile(each, (0.25, 0.5, 0.75))] for name, each in scores.items()}


def measure(weights: Path, scale: float, kept: Path | None) -> dict[str, Any]:
    """Everything the tables show."""

    def n(count: int) -> int:
        return max(2, round(scale * count))

    similarity, distance, quality = (kind(weights=weights) for kind in (Similarity, Distance, Quality))
    found: dict[str, Any] = {"retrieval": retrieval(similarity, n(100))}
    print(found["retrieval"], flush=True)
    found["synthesised"] = synthesised(similarity, n(200), decoded=False)
    found["decoded"] = synthesised(similarity, n(80), decoded=True)
    found["generated"], clips = generated(similarity, n(16), kept)
    found["counts"] = {"synthesised": n(200), "decoded": n(80), "generated, a side": n(16)}
    print({k: {c: round(v["alone"], 3) for c, v in found[k].items()} for k in ("synthesised", "decoded", "generated")})
    found["quality"] = damaged(quality, n(12))
    found["distances"], steered = distances(distance, n(6), kept)
    waves = np.stack([render(draw(FIRST + 300_000 + i)) for i in range(n(24))])
    groups = {"synthesised": waves, "decoded": round_trip(waves, decoder()), "generated": clips, **steered}
    found["levels"] = levels(quality, groups)
    print(found["quality"], found["levels"], found["distances"]["steps that grow"], flush=True)
    return found


def tables(found: dict[str, Any]) -> dict[str, str]:
    """The figures as Markdown, by their place in the document."""
    return {
        "retrieval": retrieval_table(found["retrieval"]),
        "concepts": concept_table(found),
        "distances": distance_table(found["distances"]),
        "damage": damage_table(found["quality"]),
        "levels": level_table(found["levels"]),
    }


def retrieval_table(found: dict[str, Any]) -> str:
    """Recall both ways, beside chance."""
    pool = found["pool"]
    lines = ["| way | recall@1 | recall@5 |", "|---|---|---|"]
    for way in ("text to audio", "audio to text"):
        lines.append(f"| {way} | {found[way]['recall@1']:.2f} | {found[way]['recall@5']:.2f} |")
    return "\n".join([*lines, f"| chance | {1 / pool:.2f} | {5 / pool:.2f} |", "| best possible | 1.00 | 1.00 |"])


def concept_table(found: dict[str, Any]) -> str:
    """One line per concept: AUC in three kinds of clips, and beside the probe."""
    head = (
        "| concept | synthesised | decoded | generated | generated, less the opposite | probe, generated | Spearman |"
    )
    lines = [head, "|---" * 7 + "|"]
    for name in SIDES:
        cells = []
        for kind in ("synthesised", "decoded", "generated"):
            low, high = found[kind][name]["interval"]
            cells.append(f"{found[kind][name]['alone']:.3f} [{low:.3f}, {high:.3f}]")
        made = found["generated"][name]
        cells += [f"{made[key]:.3f}" for key in ("less the opposite", "probe auc")] + [f"{made['spearman']:.2f}"]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def distance_table(found: dict[str, Any]) -> str:
    """Mean distances, smallest first."""
    rows = sorted(found["changes"].items(), key=lambda item: item[1]["listener-lpaps"]["mean"])
    lines = ["| change | `listener-lpaps` | `spectral` |", "|---|---|---|"]
    return "\n".join(
        [*lines, *(f"| {n} | {r['listener-lpaps']['mean']:.2f} | {r['spectral']['mean']:.2f} |" for n, r in rows)]
    )


def damage_table(found: dict[str, Any]) -> str:
    """Rank correlations."""
    head = f"| all kinds | {' | '.join(found['kinds'])} |"
    cells = [found["all"], *found["kinds"].values()]
    return "\n".join([head, "|---" * len(cells) + "|", f"| {' | '.join(f'{cell:.2f}' for cell in cells)} |"])


def level_table(found: dict[str, Any]) -> str:
    """Medians and quartiles."""
    lines = ["| clips | median | quartiles |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {m:.3f} | {a:.3f} to {b:.3f} |" for name, (a, m, b) in found.items())])


def main() -> None:
    """Synthesise, generate, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=SHIPPED, help="folder of the listener's weights")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the clips, for a quick look")
    parser.add_argument("--keep", type=Path, help="folder that keeps generated clips")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--update-docs", action="store_true", help=f"write the tables into {DOCUMENT.name}")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(options.weights, options.scale, options.keep)
    options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n\n".join(tables(found).values()))
    if options.update_docs:
        fill(DOCUMENT, tables(found))


if __name__ == "__main__":
    main()
