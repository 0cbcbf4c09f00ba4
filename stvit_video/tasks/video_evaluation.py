"""Evaluate a checkpoint that labels videos, as the settings of stvit_video.evaluate say."""

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from stvit_video import __version__
from stvit_video.data.layouts.catalogue import BOX_LAYOUTS, MAP_LAYOUTS
from stvit_video.data.manifests.manifest import Manifest, require_one_frame
from stvit_video.evaluation.distributed import evaluate_distributed, process_group
from stvit_video.evaluation.ledger.eval_ledger import LedgerInfo, make_ledger
from stvit_video.evaluation.ledger.parquet import write_ledger
from stvit_video.evaluation.multiview import MultiViewResult
from stvit_video.evaluation.tables import describe_unread
from stvit_video.factories.evaluated_data import choose_data, labelled_manifest
from stvit_video.inference.recognizer import Recognizer, load_recognizer, make_output_dir
from stvit_video.inference.scoring import evaluate_manifest
from stvit_video.settings.evaluate_settings import EvaluateSettings
from stvit_video.tasks.video_report import report_evaluation
from stvit_video.utils.provenance import current_commit


def evaluate_videos(settings: EvaluateSettings, *, output_dir: Path) -> dict[str, Any]:
    """Evaluate a checkpoint, print the result line, write the files of `report_evaluation` and the logits of every
    view, ledger.parquet.

    Started by torchrun, every process evaluates its share, each video exactly once, and the first writes the result.

    Args:
        settings: see `stvit_video.settings.evaluate_settings`.
        output_dir: where these files go; made if it is missing.

    Returns:
        What result.json holds; nothing in the other processes of several.

    Raises:
        ValueError: CheckpointError, ManifestError, settings that do not go together, or a folder that can't be written.
        NothingEvaluatedError: not one video could be read.
        NonFiniteLogitsError: the model gives NaN.
        ProcessFailedError: one of several processes failed or did not come.
    """
    recognizer = load_recognizer(
        settings.ckpt_path,
        device=settings.device,
        num_tokens=settings.model.num_tokens,
        generate_at=settings.model.generate_at,
        protocol=settings.protocol,
        num_clips=settings.num_clips,
        num_crops=settings.num_crops,
        average=settings.average,
        num_frames=settings.num_frames,
        frame_stride=settings.frame_stride,
        short_side=settings.short_side,
        crop_size=settings.crop_size,
    )
    manifest, precision = evaluated_manifest(settings, recognizer), str(settings.precision)
    require_one_frame(manifest, num_frames=recognizer.preprocessing.num_frames)
    make_output_dir(output_dir)
    work = partial(
        evaluate_manifest,
        recognizer,
        manifest,
        batch_size=settings.batch_size,
        num_workers=settings.num_workers,
        backend=settings.backend,
        time_limit_seconds=settings.time_limit_seconds,
        max_views_per_forward=settings.max_views_per_forward,
        precision=precision,
    )
    with process_group():
        result = evaluate_distributed(work, folder=output_dir)
    if result is None:
        return {}  # another process has the whole
    extra = {"ckpt_path": settings.ckpt_path, "precision": precision}
    ledger = partial(save_ledger, recognizer, manifest, result, output_dir / "ledger.parquet")
    summary = report_evaluation(
        recognizer,
        manifest,
        result,
        output_dir,
        extra=extra,
        write_more=ledger,
        backend=settings.backend,
        time_limit_seconds=settings.time_limit_seconds,
    )
    unread = describe_unread(result, table=output_dir / "predictions.csv")
    if unread:
        print(unread, file=sys.stderr)
    return summary


def evaluated_manifest(settings: EvaluateSettings, recognizer: Recognizer) -> Manifest:
    """The labelled videos that the settings name, of the kind that the checkpoint labels.

    Raises:
        ManifestError: faults in the list, or labels that the checkpoint lacks.
        ValueError: settings that do not go together, or data with boxes or label maps for a checkpoint of one label.
    """
    data, stored = choose_data(recognizer.config["data"], settings.data), settings.data.source is None
    if data["source"] in BOX_LAYOUTS and not recognizer.multi_label:
        raise ValueError(
            f"{str(settings.ckpt_path)!r} gives a video or picture one label, and data.source={data['source']} has "
            "boxes; give data with labels, or to score boxes the checkpoint of a detector (task=detection)"
        )
    if data["source"] in MAP_LAYOUTS:
        raise ValueError(
            f"{str(settings.ckpt_path)!r} labels whole videos or pictures, and data.source={data['source']} has label "
            "maps; give data with labels, or to score maps the checkpoint of a segmenter (task=semantic)"
        )
    manifest = labelled_manifest(data, recognizer.classes, stored=stored, held_back=recognizer.held_back)
    recognizer.require_labels_of(manifest)
    return manifest


def save_ledger(recognizer: Recognizer, manifest: Manifest, result: MultiViewResult, path: Path) -> None:
    """Keep the logits of every view, from which `python -m stvit_video.ledger` computes other protocols.

    Raises:
        OSError: the file can't be written.
    """
    info = LedgerInfo(
        classes=recognizer.classes,
        model=recognizer.model_name,
        protocol=asdict(recognizer.protocol),
        preprocessing=recognizer.preprocessing.to_dict(),
        multi_label=recognizer.multi_label,
        commit=current_commit(),
        versions={"stvit_video": __version__, "torch": str(torch.__version__)},
    )
    video_ids, labels = zip(*((record.video_id, record.labels) for record in manifest.records), strict=True)
    write_ledger(make_ledger(result, video_ids=video_ids, labels=labels, info=info), path)
