"""The folder of one suite's results: what is in it, and what is missing."""

from __future__ import annotations

import json
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import field, frozen

from tada_bench.store.cell import read_cell
from tada_bench.store.files import disk, set_aside, sweep, write_json
from tada_core.errors import ArtifactError, SpecError, StoreError

FORMAT = 1
"""Version of the layout below; a store of another version is refused."""

DAMAGE = (StoreError, ArtifactError, SpecError, OSError, ValueError, KeyError, TypeError)
"""What reading a damaged file raises."""


@frozen(eq=False)
class Store:
    """An opened store.

    store.json, suite.json, plan.json; cells/<id>/ (clips, rows.json, scores/, DONE); artifacts/<key>/;
    impacts/<key>.json; failures/<id>.json; aside/ (what was damaged); report/ (made from the rest).

    Attributes:
        folder: where it is.
        clips: file of every finished clip, by identity.
    """

    folder: Path
    clips: dict[str, Path] = field(factory=dict, repr=False)

    @classmethod
    def open(cls, folder: Path) -> Store:
        """Open a prepared store for work: clear up after a killed run, set aside what is damaged."""
        sweep(folder)
        store = cls(folder)
        for cell in sorted(folder.glob("cells/*")):
            with store.keeping(cell, "cell"):
                store.clips.update(read_cell(cell))
        return store

    @classmethod
    def read(cls, folder: str | Path) -> Store:
        """Open a store for reading only; damaged cells are left out, with a warning.

        Raises:
            StoreError: it is no store, or one of another version.
        """
        store = cls(Path(folder))
        _check(store.folder)
        for cell in sorted(store.folder.glob("cells/[!.]*")):
            try:
                store.clips.update(read_cell(cell))
            except StoreError as error:
                warnings.warn(f"left out: {error}", stacklevel=2)
        return store

    @contextmanager
    def keeping(self, path: Path, what: str) -> Iterator[None]:
        """Set `path` aside with a warning when reading it inside this block fails; it is then made again."""
        try:
            yield
        except DAMAGE as error:
            target = set_aside(path, self.folder)
            warnings.warn(f"damaged {what} set aside as {target} and made again: {error}", stacklevel=3)

    def cell(self, identity: str) -> Path:
        """Folder of the cell that holds a finished clip."""
        return self.clips[identity].parent

    def path(self, *parts: str) -> Path:
        """A path inside the store."""
        return self.folder.joinpath(*parts)

    def fail(self, key: str, label: str, error: BaseException) -> None:
        """Keep a failure with its traceback; the next run tries again."""
        trace = "".join(traceback.format_exception(error))
        about = {"label": label, "error": f"{type(error).__name__}: {error}", "traceback": trace}
        write_json(self.path("failures", f"{key}.json"), about)

    def forget_failures(self) -> None:
        """Start afresh: everything that failed is about to be tried again."""
        for path in self.folder.glob("failures/*.json"):
            path.unlink()

    def failures(self) -> list[dict[str, Any]]:
        """What failed in the last run: label, error and traceback."""
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("failures/[!.]*.json"))]


def prepare(folder: str | Path) -> Path:
    """Make a store where there is nothing yet.

    Raises:
        StoreError: the folder holds something else, or a store of another version.
    """
    folder = Path(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.glob("[!.]*"))):
        with disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / "store.json", {"format": FORMAT})
    _check(folder)
    return folder


def _check(folder: Path) -> None:
    if not (folder / "store.json").is_file():
        raise StoreError(f"{folder} is no result store: it has no store.json; name a new or empty folder with --out")
    try:
        found = json.loads((folder / "store.json").read_text())["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"cannot read {folder / 'store.json'}: {error!r}") from error
    if found != FORMAT:
        raise StoreError(
            f"{folder} is a store of format {found}, this version reads {FORMAT}; "
            "use the version that made it, or start a new folder with --out"
        )
