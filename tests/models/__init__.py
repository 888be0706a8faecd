"""Small random instances of the published models' classes, saved as real pipeline folders."""

from __future__ import annotations

from math import prod
from typing import Any

import torch


def redraw(*parts: Any) -> None:
    """Draw every matrix again, and every vector of zeros: an output that starts at zero would hide the text."""
    for part in parts:
        for value in part.parameters():
            if value.ndim > 1:
                torch.nn.init.normal_(value, std=1.2 / prod(value.shape[1:]) ** 0.5)
            elif not value.any():
                torch.nn.init.normal_(value, std=0.3)
