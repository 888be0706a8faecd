"""Music information retrieval: how far harmony, rhythm, melody, structure and loudness have moved from a reference."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_metrics() -> list[Entry]:
    """One metric for each axis."""
    return [
        _entry("harmony", "tada_mir.harmony:Harmony", "chroma, frame by frame", "librosa"),
        _entry("rhythm", "tada_mir.rhythm:Rhythm", "beats found within 70 ms", "librosa", "mir_eval"),
        _entry("melody", "tada_mir.melody:Melody", "fundamental frequency within 50 cents", "librosa", "mir_eval"),
        _entry("structure", "tada_mir.structure:Structure", "which moments are alike", "librosa"),
        _entry("loudness", "tada_mir.loudness:Loudness", "integrated loudness, ITU-R BS.1770", "pyloudnorm"),
    ]


def _entry(name: str, target: str, what: str, *requires: str) -> Entry:
    summary = f"Preservation of {name}: {what}; no weights."
    return Entry("metric", name, target, summary, extra="mir", requires=requires, licence="Apache-2.0")
