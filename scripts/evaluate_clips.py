"""Clip-level evaluation of a checkpoint: clips.csv has a row a clip view, videos.csv a row a video.

python scripts/evaluate_clips.py ckpt_path=run/best.ckpt manifest=test.csv protocol=videoswin
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stvit_video.data.decoding.video import BACKENDS
from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.evaluation.multi_label_tables import clip_mean_average_precision, multi_label_clip_rows
from stvit_video.evaluation.tables import clip_accuracy, clip_rows, describe_unread, metric_word, write_rows
from stvit_video.inference.recognizer import load_recognizer, make_output_dir
from stvit_video.inference.scoring import USER_ERRORS, evaluate_manifest, score_videos
from stvit_video.inference.shared_settings import CKPT_PATH, DEVICE, OF_PROTOCOL, PROTOCOL, TIME_LIMIT, VIEWS
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.optional import MissingLibraryError
from stvit_video.utils.value_kinds import PATH, TEXT, one_of, whole

TRAINED = "as the model was trained"
COMMAND = Command(
    prog="python scripts/evaluate_clips.py",
    summary="Clip-level evaluation of a checkpoint: clips.csv has a row a clip view, videos.csv a row a video.",
    settings=(
        replace(CKPT_PATH, aliases=("checkpoint",)),
        Setting(name="manifest", kind=PATH, help="CSV with the columns path,label", is_needed=True),
        Setting(name="root", kind=PATH, help="where relative paths start", default_words="beside the manifest"),
        Setting(
            name="label_separator",
            kind=TEXT,
            help="between the labels of a video, such as |",
            default_words="the training's",
        ),
        PROTOCOL,
        *VIEWS,
        Setting(name="num_frames", kind=whole(low=1), help="frames of a clip", default_words=TRAINED),
        Setting(
            name="frame_stride",
            kind=whole(low=1),
            help="distance between two frames of a clip, in video frames",
            default_words=TRAINED,
        ),
        Setting(
            name="short_side",
            kind=whole(low=1),
            help="pixels of a frame's short side before cropping",
            default_words=OF_PROTOCOL,
        ),
        Setting(name="crop_size", kind=whole(low=1), help="pixels of a crop's side", default_words=OF_PROTOCOL),
        Setting(name="output_dir", kind=PATH, help="folder of both tables", default=Path("outputs/evaluate_clips")),
        Setting(name="batch_size", kind=whole(low=1), help="videos that are loaded together", default=4),
        Setting(name="num_workers", kind=whole(low=0), help="processes that decode", default=0),
        DEVICE,
        Setting(name="backend", kind=one_of(BACKENDS), help="decoder; auto is PyAV", default="auto"),
        TIME_LIMIT,
    ),
    examples=(
        "python scripts/evaluate_clips.py ckpt_path=run/best.ckpt manifest=test.csv",
        "python scripts/evaluate_clips.py ckpt_path=run/best.ckpt manifest=test.csv protocol=videoswin num_clips=2",
    ),
)


def evaluate_clips(options: Given) -> None:
    """Evaluate, write the two tables, print both accuracies.

    Raises:
        ValueError: CheckpointError, ManifestError, a setting out of range, or a folder that can't be written.
        NothingEvaluatedError: not one video could be read.
        NonFiniteLogitsError: the model gives NaN.
    """
    recognizer = load_recognizer(
        options.ckpt_path,
        device=options.device,
        protocol=options.protocol,
        num_clips=options.num_clips,
        num_crops=options.num_crops,
        average=options.average,
        num_frames=options.num_frames,
        frame_stride=options.frame_stride,
        short_side=options.short_side,
        crop_size=options.crop_size,
    )
    separator = options.label_separator or (recognizer.label_separator if recognizer.multi_label else None)
    manifest = read_csv_manifest(
        options.manifest, root=options.root, classes=recognizer.classes, label_separator=separator
    )
    recognizer.require_labels_of(manifest)
    make_output_dir(options.output_dir)
    result = evaluate_manifest(
        recognizer,
        manifest,
        batch_size=options.batch_size,
        num_workers=options.num_workers,
        backend=options.backend,
        time_limit_seconds=options.time_limit_seconds,
    )
    scores, metrics = score_videos(recognizer, result)
    video_ids = [record.video_id for record in manifest.records]
    num_crops = recognizer.protocol.num_crops
    if recognizer.multi_label:
        clips = multi_label_clip_rows(
            result,
            video_ids=video_ids,
            classes=recognizer.classes,
            num_crops=num_crops,
            separator=recognizer.label_separator,
        )
        name, rate = "mean_average_precision", clip_mean_average_precision(result)
    else:
        clips = clip_rows(result, video_ids=video_ids, classes=recognizer.classes, num_crops=num_crops)
        name, rate = "top1", clip_accuracy(result)
    write_rows(clips, options.output_dir / "clips.csv")
    write_rows(recognizer.video_rows(manifest, result, scores), options.output_dir / "videos.csv")
    used = f"{result.num_used} of {result.num_listed} videos"
    print(f"clip-level  {metric_word(name)} {rate:.3f}  ({len(clips)} clip views of {used})")
    print(f"video-level {recognizer.result_line(metrics, result)}")
    print(f"clips.csv and videos.csv are in {options.output_dir}")
    unread = describe_unread(result, table=options.output_dir / "videos.csv")
    if unread:
        print(unread, file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate; gives the exit status."""
    failures = tuple(error for error in USER_ERRORS if error is not ValueError)
    return COMMAND.run(evaluate_clips, arguments, failures=(*failures, MissingLibraryError))


if __name__ == "__main__":
    sys.exit(main())
