"""What loading a model must do."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tada_core.adapter import ModelAdapter
from tada_core.errors import CheckpointError

NEEDED = ("*.safetensors", "model_index.json", "config.json", "scheduler_config.json", "tokenizer_config.json")


def check_checkpoint(adapter: type[ModelAdapter], folder: str | Path) -> None:
    """Check that an adapter loads a saved folder, and that it names the file where one is missing.

    Args:
        adapter: the class.
        folder: a complete checkpoint, in the layout its `load` reads; a small one makes this quick.

    Raises:
        AssertionError: a rule is broken.
        CheckpointError: the folder does not load.
    """
    whole = Path(folder)
    loaded = adapter.load(str(whole))
    assert isinstance(loaded, adapter), f"load gives a {type(loaded).__name__}, not a {adapter.__name__}"
    _check_refused(adapter, whole / "nothing-there", "nothing-there")
    needed = sorted({path.relative_to(whole) for pattern in NEEDED for path in whole.rglob(pattern)})
    assert needed, f"'{whole}' holds no weights"
    for missing in needed:
        with TemporaryDirectory() as scratch:
            part = Path(scratch) / "part"
            _without(whole, part, missing)
            _check_refused(adapter, part, missing.name)


def _without(whole: Path, part: Path, missing: Path) -> None:
    """A folder of links to all files of another one but one."""
    for path in whole.rglob("*"):
        name = path.relative_to(whole)
        if path.is_file() and name != missing:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).symlink_to(path.resolve())


def _check_refused(adapter: type[ModelAdapter], folder: Path, name: str) -> None:
    try:
        adapter.load(str(folder))
    except CheckpointError as error:
        assert name in str(error), f"without '{name}' the error does not name it: {error}"
        return
    raise AssertionError(f"a folder without '{name}' is loaded all the same")
