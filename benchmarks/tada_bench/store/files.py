"""Writing so that a reader never meets half a file, whatever kills the writer."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tada_core.errors import StoreError

PREFIX = ".tmp-"
FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
"""Errors that the next cell would meet as well."""


@contextmanager
def disk(folder: Path) -> Iterator[None]:
    """Turn a full or read-only disk into one StoreError; what is in the store already stays."""
    try:
        yield
    except OSError as error:
        if error.errno not in FATAL:
            raise
        raise StoreError(
            f"cannot write to {folder}: {error.strerror}; nothing finished is lost: "
            "make room (or mend the permissions) and run the same command again"
        ) from error


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target` that is renamed to it on leaving, or removed when something is raised."""
    temporary = target.parent / f"{PREFIX}{target.name}"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        os.rename(temporary, target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a whole file at once, replacing an older one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f"{PREFIX}{path.name}"
    try:
        temporary.write_text(text)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, data: Any) -> None:
    """Write JSON at once, keys in the order given."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def sweep(folder: Path) -> None:
    """Remove what a killed run left unfinished below `folder`."""
    for path in sorted(folder.glob(f"**/{PREFIX}*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def set_aside(path: Path, store: Path) -> Path:
    """Move something damaged into the store's folder `aside`, under a name that is free."""
    aside = store / "aside"
    aside.mkdir(exist_ok=True)
    target, count = aside / path.name, 1
    while target.exists():
        target, count = aside / f"{path.name}-{count}", count + 1
    os.rename(path, target)
    return target
