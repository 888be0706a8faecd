"""Look at what the main job left behind: a page with sound, tables with numbers, scores of every clip, no failures."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import soundfile

store = Path(sys.argv[1])
page = (store / "report" / "index.html").read_text()
assert "<audio" in page and "</html>" in page, "the page is not whole"

sounds = sorted((store / "report" / "audio").glob("*.flac"))
assert len(sounds) > 50, f"only {len(sounds)} clips on the page"
samples, rate = soundfile.read(sounds[0])
assert rate == 16000 and abs(samples).max() > 0.01, "a clip is silent"

tables = sorted((store / "report").glob("*.csv"))
assert tables, "no tables"
for table in tables:
    with table.open() as file:
        assert len(list(csv.DictReader(file))) > 0, f"{table.name} is empty"

failures = sorted((store / "failures").glob("*.json"))
assert not failures, f"{len(failures)} failures: {json.loads(failures[0].read_text())}"

cells = [cell for cell in (store / "cells").iterdir() if (cell / "DONE").exists()]
scores = [len(list((cell / "scores").glob("*.json"))) for cell in cells]
assert cells and all(count >= 2 for count in scores), "a cell lacks its scores"
print(f"{len(cells)} cells, {sum(scores)} files of scores, {len(sounds)} clips on the page, {len(tables)} tables")
