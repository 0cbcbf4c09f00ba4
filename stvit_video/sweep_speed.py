"""Clips per second of the runs of a sweep, measured one after the other when nothing else of it runs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from stvit_video.evaluation.sweep_points import Run
from stvit_video.inference import load_classifier
from stvit_video.report import AT_ONCE, measure_speed, provenance
from stvit_video.sweeps.jobs import write_atomically


def measure_again(folder: Path, runs: Sequence[Run], *, tell: Callable[[str], None]) -> list[Run]:
    """Measure the speed of every run anew, and put it in place of the old one in its result.json.

    Args:
        folder: of the sweep.
        runs: finished ones.
        tell: takes a line for each.

    Returns:
        The runs with what was measured.

    Raises:
        ValueError: a checkpoint that is gone or can't be used.
        OSError: a file can't be written.
    """
    return [_measured(folder / run.name, run, tell=tell) for run in runs]


def _measured(run_dir: Path, run: Run, *, tell: Callable[[str], None]) -> Run:
    sizes = run.result["preprocessing"]
    classifier = load_classifier(
        checkpoint_of(run_dir, run),
        num_tokens=run.result.get("token_grid"),
        num_frames=sizes["num_frames"],
        crop_size=sizes["crop_size"],
    )
    speed = measure_speed(classifier)
    own = {"inference_clips_per_second": speed, AT_ONCE: 1, "speed_measured": provenance(classifier.device)}
    run = replace(run, result={**run.result, **own})
    write_atomically(run_dir / "result.json", json.dumps(run.result, indent=2) + "\n")
    tell(f"{run.name}: {speed:.1f} clips/s")
    return run


def checkpoint_of(run_dir: Path, run: Run) -> Path:
    """The checkpoint that a result is about: of a training its best or last, of an evaluation the one it was given."""
    if "ckpt_path" in run.result:
        return Path(run.result["ckpt_path"])
    return run_dir / f"{run.result['checkpoint']}.ckpt"
