"""How the libraries below load a checkpoint: without their bars, and whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tada_core.errors import CheckpointError


@contextmanager
def whole() -> Iterator[None]:
    """Load with diffusers and transformers inside this block.

    Both only log the tensors that a checkpoint lacks, and draw them at random or leave them empty. Their bars are over
    in a second and break up our own lines.

    Raises:
        CheckpointError: a checkpoint that is loaded inside lacks tensors; names them.
    """
    import diffusers
    import transformers

    with _quiet(), _complete(diffusers.ModelMixin), _complete(transformers.PreTrainedModel):
        yield


@contextmanager
def _complete(base: Any) -> Iterator[None]:
    plain = base.__dict__["from_pretrained"]

    def from_pretrained(cls: Any, source: Any, *args: Any, **options: Any) -> Any:
        model, found = plain.__func__(cls, source, *args, output_loading_info=True, **options)
        if missing := sorted(found["missing_keys"]):
            names = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
            said = f"'{source}' lacks {len(missing)} of the tensors of {cls.__name__}: {names}"
            raise CheckpointError(f"{said}; copy or download it again")
        return model

    base.from_pretrained = classmethod(from_pretrained)
    try:
        yield
    finally:
        base.from_pretrained = plain


@contextmanager
def _quiet() -> Iterator[None]:
    import diffusers.utils.logging as below
    import transformers.utils.logging as beneath

    below.disable_progress_bar()
    beneath.disable_progress_bar()
    try:
        yield
    finally:
        below.enable_progress_bar()
        beneath.enable_progress_bar()
