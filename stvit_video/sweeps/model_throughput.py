"""Clips or pictures per second of the runs of a sweep, measured one after the other when nothing else of it runs."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stvit_video.detections.detector_cost import measure_detector_speed
from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.inference.cost import measure_speed
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.segmentations.segmenter_cost import measure_segmenter_speed
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter
from stvit_video.sweeps.report.points import MEASURED, OF_CLIPS, OF_DETECTOR, Run
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.provenance import provenance

ROUNDS = 3


def measure_again(folder: Path, runs: Sequence[Run], *, tell: Callable[[str], None]) -> list[Run]:
    """Measure the speed of every run anew, and put it in place of the old one in its result.json.

    All are measured in turn, `ROUNDS` times over, and the fastest of a run counts: whatever else the machine does can
    only slow it down, and hardly in all rounds.

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
    rounds = [[_measure(folder / run.name, run) for run in runs] for _ in range(ROUNDS)]
    measured = []
    for run, *tries in zip(runs, *rounds, strict=True):
        speeds, where = [speed for speed, _ in tries], tries[0][1]
        unit = "clips" if run.costs == OF_CLIPS else "pictures"
        own = {run.costs[1]: max(speeds), f"slowest_{unit}_per_second": min(speeds), MEASURED: where}
        measured.append(replace(run, result={**run.result, **own}))
        write_text(folder / run.name / "result.json", json.dumps(measured[-1].result, indent=2) + "\n")
        tell(f"{run.name}: {max(speeds):.1f} {unit}/s (slowest of {ROUNDS} rounds {min(speeds):.1f})")
    return measured


def _measure(run_dir: Path, run: Run) -> tuple[float, dict[str, Any]]:
    """Clips or pictures per second of a run's model as it was evaluated, and on what that was measured."""
    sizes = run.result["preprocessing"]
    if run.costs != OF_CLIPS:
        height, width = run.result["picture_size"]
        sides = {name: sizes[name] for name in ("short_side", "long_side")}
        if run.costs == OF_DETECTOR:
            detector = load_trained_detector(checkpoint_of(run_dir, run), **sides)
            return measure_detector_speed(detector, picture_size=(height, width)), provenance(detector.device)
        options = run.result["segmenter"]["options"]
        windows = {"window": options["window"] or 0, "window_stride": options["window_stride"]}
        segmenter = load_trained_segmenter(checkpoint_of(run_dir, run), **sides, **windows)
        return measure_segmenter_speed(segmenter, picture_size=(height, width)), provenance(segmenter.device)
    recognizer = load_recognizer(
        checkpoint_of(run_dir, run),
        num_tokens=run.result.get("token_grid"),
        generate_at=run.result.get("generate_at"),
        num_frames=sizes["num_frames"],
        crop_size=sizes["crop_size"],
    )
    return measure_speed(recognizer), provenance(recognizer.device)


def checkpoint_of(run_dir: Path, run: Run) -> Path:
    """The checkpoint that a result is about: of a training its best or last, of an evaluation the one it was given."""
    if "ckpt_path" in run.result:
        return Path(run.result["ckpt_path"])
    return run_dir / f"{run.result['checkpoint']}.ckpt"
