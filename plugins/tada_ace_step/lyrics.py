"""Lyrics to token ids: structure tags, English and sixteen other languages, by the vocabulary of upstream's repository.

Structure tags and plain English need nothing more; numbers, other letters and language marks need the extra `lyrics`.

Differs from upstream, which lets a detector name the language of every line: here a line may name its own ("[es] te
quiero"), and the others are English unless one of them holds a letter that is not ASCII; only then they are detected.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from tokenizers import Tokenizer

from tada_ace_step.language import detect, is_foreign, marked
from tada_ace_step.spelling import respell, tidy
from tada_core.entry import FIRST_PARTY
from tada_core.errors import CheckpointError, SpecError

START, LINE = 261, 2
"""Ids that open the lyrics and close each line."""

TAG = re.compile(r"\[.*?\]")
PLAIN = re.compile(r"[a-z \-'.,!?;:()\[\]]*")
EXTRA = ("num2words", "py3langid", "pypinyin", "hangul_romanize")
"""Modules that the extra `lyrics` installs."""

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
        """Ids of lyrics whose lines are structure tags ("[verse]") or sung, in English or marked or detected languages.

        Raises:
            SpecError: a line that needs the extra `lyrics` where it is not installed, or that cannot be read with it.
        """
        if lyrics not in self.known:
            self.known[lyrics] = self._read(lyrics)
        return self.known[lyrics]

    def _read(self, lyrics: str) -> list[int]:
        lines = [line.strip() for line in lyrics.split("\n")]
        odd = next((line for line in lines if not is_plain(line)), None)
        if odd is not None:
            require_extra(odd)
        mixed = any(is_foreign(line) for line in lines if marked(line)[0] is None)
        ids = [START]
        for line in lines:
            if line:
                text = f"[en]{tidy(line)}" if odd is None else self._respell(line, mixed)
                ids += self.tokenizer.encode(text.replace(" ", "[SPACE]"), add_special_tokens=False).ids
            ids.append(LINE)
        return ids

    def _respell(self, line: str, mixed: bool) -> str:
        """A line of any language after the token of that language, which is detected in lyrics of mixed languages."""
        language, sung = marked(line)
        language = language or (detect(sung) if mixed and not TAG.match(sung) else "en")
        text = respell(sung, language)
        if odd := sorted(letter for letter in set(text) - set("[] ") if self.tokenizer.token_to_id(letter) is None):
            raise SpecError(
                f"lyrics line '{line}', read as '{language}', holds {' '.join(odd)}, which the vocabulary has not; "
                "transliterate it, or mark the line with its language, as in [es]"
            )
        return f"[{'zh-cn' if language == 'zh' else language}]{text}"


def is_plain(line: str) -> bool:
    """Whether a line is a structure tag or English letters and punctuation, without a mark of its language."""
    text = tidy(line)
    tag = text.isascii() and TAG.match(text)
    return marked(line)[0] is None and bool(PLAIN.fullmatch(text) or tag)


def require_extra(line: str) -> None:
    """Refuse a line that is not plain where the extra is not installed.

    Raises:
        SpecError: with the command that installs it.
    """
    if missing := [name for name in EXTRA if find_spec(name) is None]:
        odd = " ".join(sorted(set(PLAIN.sub("", tidy(line))))) or "a language mark"
        raise SpecError(
            f"lyrics line '{line}' holds {odd}; all but structure tags and English letters needs {', '.join(missing)}: "
            f'pip install "{FIRST_PARTY}[lyrics]"'
        )
