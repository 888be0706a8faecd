"""torchaudio and torchvision beside a torch without CUDA: their Python parts, with stubs where CUDA is linked in.

The registry's wheels of both load a library linked to CUDA as they are imported. Nothing recorded here passes through
those libraries; where the wheels import as they are, nothing is replaced.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

_LIBRARY: list[torch.library.Library] = []


def install() -> None:
    """Make `import torchaudio` and `import torchvision` work."""
    _audio()
    _vision()


def _audio() -> None:
    try:
        importlib.import_module("torchaudio")
    except OSError:
        _forget("torchaudio")
        stub = ModuleType("torchaudio._extension")
        vars(stub).update(
            _IS_TORCHAUDIO_EXT_AVAILABLE=False, _IS_ALIGN_AVAILABLE=False, fail_if_no_align=lambda function: function
        )
        sys.modules["torchaudio._extension"] = stub
        importlib.import_module("torchaudio")


def _vision() -> None:
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        _forget("torchvision")
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _LIBRARY.append(library)
        importlib.import_module("torchvision")


def _forget(package: str) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        del sys.modules[name]


def pytest_load_initial_conftests() -> None:
    """`pytest -p benchmarks.golden.standins`: before anything of the tests is imported."""
    install()
