"""What a run leaves behind: result.json, predictions.csv, confusion_matrix.png and, after training, the curves."""

import dataclasses
import json
import platform
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import torch

from stvit_video import __version__
from stvit_video.build import PACKAGE_DIR
from stvit_video.data.manifest import Manifest
from stvit_video.evaluation.benchmark import count_gmacs, count_parameters, measure_throughput
from stvit_video.evaluation.metrics import Metrics, rates_of
from stvit_video.evaluation.multiview import MultiViewResult
from stvit_video.evaluation.plots import save_confusion_matrix, save_curves
from stvit_video.evaluation.shards import evaluate_shards
from stvit_video.evaluation.tables import write_rows
from stvit_video.inference import Classifier, evaluate_manifest, load_classifier, score_videos
from stvit_video.training.text_files import write_atomically


def report_training(
    run_dir: Path,
    *,
    checkpoint: str,
    val_manifest: Manifest,
    data: Mapping[str, Any],
    training: Mapping[str, Any],
) -> dict[str, Any]:
    """Evaluate a checkpoint of the run by its protocol, and write every file of the report.

    Every process of the training must call this: each evaluates its share of the videos, the first writes the files.

    Args:
        run_dir: the run's folder, which holds best.ckpt, last.ckpt and metrics.csv.
        checkpoint: which one, "best" or "last".
        val_manifest: the videos to evaluate.
        data: the `data` group of the configuration: decoder and workers.
        training: further values for result.json, such as seconds and clips a second of the training.

    Returns:
        What result.json holds; nothing in the other processes of several.

    Raises:
        NothingEvaluatedError: not one video could be read.
        ShardError: one of several processes failed or did not come.
    """
    classifier = load_classifier(run_dir / f"{checkpoint}.ckpt")
    work = partial(
        evaluate_manifest,
        classifier,
        val_manifest,
        batch_size=4,
        num_workers=data["num_workers"],
        backend=data["backend"],
    )
    result = evaluate_shards(work, folder=run_dir)
    if result is None:
        return {}  # another process has the whole
    save_curves(run_dir / "metrics.csv", run_dir / "curves.png")
    return report_evaluation(
        classifier, val_manifest, result, run_dir, extra={"checkpoint": checkpoint, "training": dict(training)}
    )


def report_evaluation(
    classifier: Classifier,
    manifest: Manifest,
    result: MultiViewResult,
    output_dir: Path,
    *,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Print the result line; write result.json, predictions.csv (a row for each video), confusion_matrix.png.

    With several labels a video there is no confusion matrix.

    Args:
        classifier: the checkpoint that was evaluated.
        manifest: the listed videos.
        result: their logits.
        output_dir: where the files go; made if it is missing.
        extra: further values for result.json.

    Returns:
        What result.json holds.

    Raises:
        NothingEvaluatedError: not one video could be read.
    """
    scores, metrics = score_videos(classifier, result)
    line = classifier.result_line(metrics, result)
    summary = summarise(classifier, result, metrics) | dict(extra) | {"result": line}
    output_dir.mkdir(parents=True, exist_ok=True)
    write_rows(classifier.video_rows(manifest, result, scores), output_dir / "predictions.csv")
    names = ["result.json", "predictions.csv"]
    if "confusion_matrix" in metrics:
        names.append("confusion_matrix.png")
        save_confusion_matrix(metrics["confusion_matrix"], classifier.classes, output_dir / names[-1])
    write_atomically(output_dir / "result.json", json.dumps(summary, indent=2) + "\n")  # last: with it all is done
    print(line)
    print(f"{', '.join(names[:-1])} and {names[-1]} are in {output_dir}")
    return summary


def summarise(classifier: Classifier, result: MultiViewResult, metrics: Metrics) -> dict[str, Any]:
    """Numbers, and what they were measured with, as plain values for JSON."""
    return {
        **rates_of(metrics),
        "num_videos_used": result.num_used,
        "num_videos_listed": result.num_listed,
        "num_classes": len(classifier.classes),
        "multi_label": classifier.multi_label,
        "protocol": dataclasses.asdict(classifier.protocol),
        "preprocessing": classifier.preprocessing.to_dict(),
        "model": classifier.model_name,
        **describe_tokens(classifier),
        **measure_cost(classifier),
        **provenance(classifier.device),
    }


def describe_tokens(classifier: Classifier) -> dict[str, Any]:
    """How many semantic tokens the model runs with, on what grid, and where and by whom they are made; None = dense.

    `generate_at` is None too where the training left it to the named model.
    """
    token_grid = getattr(classifier.model, "token_grid", None)
    options = classifier.config.get("model") or {}
    semantic = token_grid is not None
    return {
        "num_tokens": token_grid.count if token_grid is not None else None,
        "token_grid": list(token_grid.sizes) if token_grid is not None else None,
        "reducer": options.get("reducer", "semantic") if semantic else None,
        "generate_at": options.get("generate_at") if semantic else None,
    }


def measure_cost(classifier: Classifier) -> dict[str, Any]:
    """Multiply-adds (in 1e9) of a view and of a video, parameters, and measured clips per second."""
    gmacs = count_gmacs(classifier.model, _clip_size(classifier))
    num_views = classifier.protocol.num_clips * classifier.protocol.num_crops
    return {
        "gmacs_per_view": gmacs,
        "gmacs_per_video": gmacs * num_views,
        "num_parameters": count_parameters(classifier.model),
        "inference_clips_per_second": measure_speed(classifier),
    }


def measure_speed(classifier: Classifier) -> float:
    """Clips per second in inference, batches of 8 in float32, the median of three."""
    size = _clip_size(classifier)
    return measure_throughput(classifier.model, size, batch_size=8, device=classifier.device, repeats=3, warmup=1)


def _clip_size(classifier: Classifier) -> tuple[int, ...]:
    size = classifier.preprocessing
    return (3, size.num_frames, size.crop_size, size.crop_size)


def provenance(device: torch.device) -> dict[str, Any]:
    """Commit, versions, hardware and date of a measurement."""
    return {
        "commit": current_commit(),
        "hardware": describe_hardware(device),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": {
            "stvit_video": __version__,
            "torch": str(torch.__version__),
            "python": platform.python_version(),
        },
    }


def describe_hardware(device: torch.device) -> str:
    """Name of the GPU, or of the processor and the threads that torch uses."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{processor_name()}, {torch.get_num_threads()} threads"


def processor_name() -> str:
    """The processor's model as the system tells it, or its architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def current_commit() -> str | None:
    """Commit of the checkout that this package runs from, "+changes" where files differ; None without git."""
    try:
        commit = _git("rev-parse", "HEAD")
        return f"{commit}+changes" if _git("status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(PACKAGE_DIR.parent), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
