"""Files of captions: every kind is read alike, and what is no caption is refused with the way out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tada_core.captions import read_captions
from tada_core.errors import SpecError


@pytest.mark.parametrize(
    ("name", "text", "column"),
    [
        ("a.txt", "one\n\n two \r\n", None),
        ("a.csv", 'ytid,aspect_list,caption,text\n1,"[""a""]",one,no\n2,[],"two",no\n3,[],,no\n', None),
        ("a.csv", "\ufeffprompt\none\ntwo\n", None),
        ("a.CSV", "caption,words\nno,one\nno,two\n", "words"),
        ("a.csv", "whatever\none\ntwo\n", None),
        ("a.csv", "prompt,text\nno,one\nno,two\n", None),
        ("a.json", '["one", "two"]', None),
        ("a.json", '[{"text": "one"}, {"prompt": "two"}]', None),
        ("a.json", '[{"prompt": "one", "n": 1}, {"prompt": "two"}, {"n": 2}, {"prompt": null}]', None),
        ("a.json", '[{"words": "one"}, {"words": "two"}]', None),
        ("a.jsonl", '{"caption": "one"}\n\n"two"\n', None),
    ],
)
def test_captions_are_read(tmp_path: Path, name: str, text: str, column: str | None) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert read_captions(tmp_path / name, column) == ["one", "two"]


def test_a_caption_may_have_lines_and_stand_twice(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('caption,other\n"a, ""loud""\nsong",one\n"",two\n')
    assert read_captions(tmp_path / "a.csv") == ['a, "loud"\nsong']
    (tmp_path / "a.txt").write_text("one\ntwo\none\n")
    assert read_captions(tmp_path / "a.txt") == ["one", "two", "one"]


@pytest.mark.parametrize(
    ("name", "data", "column", "message"),
    [
        ("a.xml", b"", None, "read from .txt, .csv, .json, .jsonl; not from"),
        ("a.txt", b"\n", None, "holds no captions"),
        ("a.txt", b"\xff\xfe", None, "cannot read"),
        ("a.txt", b"one", "caption", "no column 'caption'; it has none; leave the name out"),
        ("a.csv", b"captions,b\none,two\n", None, "no column 'caption'; nearest: captions"),
        ("a.csv", b"one,two\na,b\n", None, "nearest: two, one; choose one with column= or --column"),
        ("a.csv", b"caption\na\n", "prompt", "no column 'prompt'; nearest: caption"),
        ("a.csv", b"caption\n", None, "holds no captions"),
        ("a.csv", b"caption\n", "prompt", "holds no captions"),
        ("a.json", b"[", None, "cannot read"),
        ("a.json", b'{"a": 1}', None, "no list"),
        ("a.json", b"[1]", None, "a text or an object with the key 'caption', not 1"),
        ("a.json", b"[{}]", None, "holds no captions"),
        ("a.jsonl", b'{"text": 1}', None, "not 1"),
    ],
)
def test_files_without_captions_are_refused(
    tmp_path: Path, name: str, data: bytes, column: str | None, message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(SpecError, match=re.escape(message)) as refused:
        read_captions(tmp_path / name, column)
    assert f"'{tmp_path / name}'" in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"cannot read captions from '.*missing\.txt'"):
        read_captions(tmp_path / "missing.txt")
