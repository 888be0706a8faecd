"""Stable Audio Open with two layers, and the scheduler of the published checkpoint."""

from __future__ import annotations

from pathlib import Path

import tiny


def build(folder: Path) -> Path:
    """Save the pipeline."""
    from diffusers import CosineDPMSolverMultistepScheduler

    pipe = tiny.build_pipeline(layers=2)
    scheduler = CosineDPMSolverMultistepScheduler(
        sigma_min=0.3, sigma_max=500.0, solver_order=2, prediction_type="v_prediction", sigma_data=1.0
    )
    pipe.register_modules(scheduler=scheduler)
    pipe.save_pretrained(folder)
    return folder
