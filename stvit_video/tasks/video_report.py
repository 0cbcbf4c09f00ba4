"""What a run leaves behind: result.json, tables, confusion_matrix.png, report.html and, after training, the curves."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stvit_video.data.manifests.manifest import Manifest
from stvit_video.evaluation.class_table import write_class_table
from stvit_video.evaluation.distributed import evaluate_distributed
from stvit_video.evaluation.metrics import Metrics, rates_of
from stvit_video.evaluation.multiview import MultiViewResult
from stvit_video.evaluation.plots import save_confusion_matrix, save_curves
from stvit_video.evaluation.tables import write_rows
from stvit_video.inference.cost import measure_cost
from stvit_video.inference.recognizer import Recognizer, load_recognizer
from stvit_video.inference.scoring import evaluate_manifest, score_videos
from stvit_video.pages.confusion_part import Confusion
from stvit_video.tasks.run_report_page import draw_run_page, middle_frames
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.figures import draw_or_warn
from stvit_video.utils.provenance import provenance


def report_training(
    run_dir: Path,
    *,
    checkpoint: str,
    val_manifest: Manifest,
    num_workers: int,
    backend: str,
    time_limit_seconds: float | None = None,
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """Evaluate a checkpoint of the run by its protocol, and write every file of the report.

    Every process of the training must call this: each evaluates its share of the videos, the first writes the files.

    Args:
        run_dir: the run's folder, which holds best.ckpt, last.ckpt and metrics.csv.
        checkpoint: which one, "best" or "last".
        val_manifest: the videos to evaluate.
        num_workers: processes that decode; 0 = this one.
        backend: decoder, see `open_video`.
        time_limit_seconds: for opening and for each reading of one video, see `open_video`.
        training: further values for result.json, such as seconds and clips a second of the training.

    Returns:
        What result.json holds; nothing in the other processes of several.

    Raises:
        NothingEvaluatedError: not one video could be read.
        ProcessFailedError: one of several processes failed or did not come.
    """
    recognizer = load_recognizer(run_dir / f"{checkpoint}.ckpt")
    work = partial(
        evaluate_manifest,
        recognizer,
        val_manifest,
        batch_size=4,
        num_workers=num_workers,
        backend=backend,
        time_limit_seconds=time_limit_seconds,
        prefix="data.",
    )
    result = evaluate_distributed(work, folder=run_dir)
    if result is None:
        return {}  # another process has the whole
    summary = report_evaluation(
        recognizer,
        val_manifest,
        result,
        run_dir,
        extra={"checkpoint": checkpoint, "training": dict(training)},
        backend=backend,
        time_limit_seconds=time_limit_seconds,
    )
    curves = run_dir / "curves.png"
    draw_or_warn(curves, lambda: save_curves(run_dir / "metrics.csv", curves))
    return summary


def report_evaluation(
    recognizer: Recognizer,
    manifest: Manifest,
    result: MultiViewResult,
    output_dir: Path,
    *,
    extra: Mapping[str, Any],
    write_more: Callable[[], object] | None = None,
    backend: str = "auto",
    time_limit_seconds: float | None = None,
) -> dict[str, Any]:
    """Print the result line; write result.json, predictions.csv (a row for each video), per_class.csv, then pictures.

    These are confusion_matrix.png, but not with several labels a video, and report.html, which shows all. What can't be
    drawn is a warning.

    Args:
        recognizer: the checkpoint that was evaluated.
        manifest: the listed videos.
        result: their logits.
        output_dir: where the files go; made if it is missing.
        extra: further values for result.json.
        write_more: writes what else shall be there before a picture is drawn.
        backend: decoder of the frames that the page shows, see `middle_frames`.
        time_limit_seconds: of each of them, likewise.

    Returns:
        What result.json holds.

    Raises:
        NothingEvaluatedError: not one video could be read.
    """
    scores, metrics = score_videos(recognizer, result)
    line = recognizer.result_line(metrics, result)
    summary = summarise(recognizer, result, metrics) | dict(extra) | {"result": line}
    output_dir.mkdir(parents=True, exist_ok=True)
    write_rows(recognizer.video_rows(manifest, result, scores), output_dir / "predictions.csv")
    write_text(output_dir / "result.json", json.dumps(summary, indent=2) + "\n")
    write_class_table(output_dir / "per_class.csv", metrics, labels=result.labels, classes=recognizer.classes)
    if write_more is not None:
        write_more()
    print(line, flush=True)
    names, confusion = ["result.json", "predictions.csv", "per_class.csv"], None
    if "confusion_matrix" in metrics:
        picture, matrix = output_dir / "confusion_matrix.png", metrics["confusion_matrix"]
        confusion = Confusion(matrix=matrix, classes=recognizer.classes)
        if draw_or_warn(picture, lambda: save_confusion_matrix(matrix, recognizer.classes, picture)):
            names.append(picture.name)
    names = draw_run_page(
        output_dir,
        written=names,
        confusion=confusion,
        read_frame=middle_frames(manifest, backend=backend, time_limit_seconds=time_limit_seconds),
        separator=recognizer.label_separator,
    )
    print(f"{', '.join(names[:-1])} and {names[-1]} are in {output_dir}")
    return summary


def summarise(recognizer: Recognizer, result: MultiViewResult, metrics: Metrics) -> dict[str, Any]:
    """Numbers, and what they were measured with, as plain values for JSON."""
    return {
        **rates_of(metrics),
        "num_videos_used": result.num_used,
        "num_videos_listed": result.num_listed,
        "num_classes": len(recognizer.classes),
        "multi_label": recognizer.multi_label,
        "protocol": dataclasses.asdict(recognizer.protocol),
        "preprocessing": recognizer.preprocessing.to_dict(),
        "model": recognizer.model_name,
        **describe_tokens(recognizer),
        **measure_cost(recognizer),
        **provenance(recognizer.device),
    }


def describe_tokens(recognizer: Recognizer) -> dict[str, Any]:
    """How many semantic tokens the model runs with, on what grid, and where and by whom they are made; None = dense.

    `generate_at` is None too where they are made in units of fixed blocks.
    """
    token_grid = getattr(recognizer.model, "token_grid", None)
    options = recognizer.config.get("model") or {}
    semantic = token_grid is not None
    return {
        "num_tokens": token_grid.count if token_grid is not None else None,
        "token_grid": list(token_grid.sizes) if token_grid is not None else None,
        "reducer": options.get("reducer", "semantic") if semantic else None,
        "generate_at": getattr(recognizer.model, "generate_at", None),
    }
