"""What loading a model must do."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from torch import Tensor

from tada_core.adapter import ModelAdapter
from tada_core.errors import CheckpointError

NEEDED = ("*.safetensors", "model_index.json", "config.json", "scheduler_config.json", "tokenizer_config.json")


def check_checkpoint(adapter: type[ModelAdapter], folder: str | Path) -> None:
    """Check that an adapter loads a saved folder, names the file where one is missing, and needs every tensor.

    Libraries draw a tensor that they do not find at random, or warn of it at most: the model runs and means nothing.

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
    _check_refused(adapter, whole / "nothing-there", "nothing-there", "nothing-there")
    needed = sorted({path.relative_to(whole) for pattern in NEEDED for path in whole.rglob(pattern)})
    assert needed, f"'{whole}' holds no weights"
    for missing in needed:
        with TemporaryDirectory() as scratch:
            part = Path(scratch) / "part"
            _without(whole, part, missing)
            _check_refused(adapter, part, missing.name, missing.name)
            if missing.suffix == ".safetensors":
                lost = _save_part(whole / missing, part / missing)
                _check_refused(adapter, part, f"{lost} of {missing}", "")


def _without(whole: Path, part: Path, missing: Path) -> None:
    """A folder of links to all files of another one but one."""
    for path in whole.rglob("*"):
        name = path.relative_to(whole)
        if path.is_file():
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            if name != missing:
                (part / name).symlink_to(path.resolve())


def _save_part(whole: Path, part: Path) -> str:
    """Write all tensors of a file but its largest, whose name is given back."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    tensors: dict[str, Tensor] = load_file(whole)
    largest = max(tensors, key=lambda name: tensors[name].numel())
    del tensors[largest]
    with safe_open(whole, "pt") as opened:
        save_file(tensors, part, opened.metadata())
    return largest


def _check_refused(adapter: type[ModelAdapter], folder: Path, missing: str, says: str) -> None:
    """An error that says a text; a loader may have a name of its own for a tensor, so that none is asked for there."""
    try:
        adapter.load(str(folder))
    except CheckpointError as error:
        assert says in str(error), f"without '{missing}' the error does not name it: {error}"
        return
    except Exception as error:
        raise AssertionError(
            f"without '{missing}' load raises a {type(error).__name__}, not a CheckpointError: {error}"
        ) from error
    raise AssertionError(f"a folder without '{missing}' is loaded all the same")
