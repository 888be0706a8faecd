"""Lyrics to token ids: structure tags and English, by the vocabulary that upstream keeps in its repository."""

from __future__ import annotations

import re
from pathlib import Path

from tokenizers import Tokenizer

from tada_core.errors import CheckpointError, SpecError

START, LINE = 261, 2
"""Ids that open the lyrics and close each line."""

TAG = re.compile(r"\[.*?\]")
PLAIN = re.compile(r"[a-z \-'.,!?;:()\[\]]*")
VOCABULARY = "lyric_vocab.json"
SOURCE = "https://raw.githubusercontent.com/ace-step/ACE-Step/main/acestep/models/lyrics_utils/vocab.json"


class LyricTokenizer:
    """Token ids of lyrics, one line after the other."""

    def __init__(self, vocabulary: Path) -> None:
        if not vocabulary.exists():
            raise CheckpointError(
                f"lyrics need upstream's vocabulary, which no published checkpoint holds; put it there: "
                f"curl -Lo '{vocabulary}' {SOURCE}"
            )
        self.tokenizer = Tokenizer.from_file(str(vocabulary))
        self.known: dict[str, list[int]] = {}

    def encode(self, lyrics: str) -> list[int]:
        """Ids of lyrics whose lines are structure tags ("[verse]") or English.

        Raises:
            SpecError: a line that English normalisation does not cover (digits, other scripts, symbols).
        """
        if lyrics not in self.known:
            self.known[lyrics] = self._read(lyrics)
        return self.known[lyrics]

    def _read(self, lyrics: str) -> list[int]:
        ids = [START]
        for line in (line.strip() for line in lyrics.split("\n")):
            if line:
                text = f"[en]{normalise(line)}".replace(" ", "[SPACE]")
                ids += self.tokenizer.encode(text, add_special_tokens=False).ids
            ids.append(LINE)
        return ids


def normalise(line: str) -> str:
    """A line in lower case with single spaces and without double quotes.

    Raises:
        SpecError: it holds something else than English letters and punctuation.
    """
    text = re.sub(r"\s+", " ", line.lower().replace('"', "").replace("\u2019", "'"))
    if not PLAIN.fullmatch(text) and not TAG.match(text):
        odd = sorted(set(PLAIN.sub("", text)) or set(text) - set("abcdefghijklmnopqrstuvwxyz "))
        raise SpecError(
            f"lyrics line '{line}' holds {' '.join(odd)}; this adapter reads structure tags and English letters: "
            "write numbers as words, and transliterate other scripts"
        )
    return text
