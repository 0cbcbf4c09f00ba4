"""Clip-level evaluation of a checkpoint: clips.csv has a row a clip view, videos.csv a row a video.

python scripts/evaluate_clips.py --checkpoint run/best.ckpt --manifest test.csv --protocol videoswin
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.sampling.protocols import PROTOCOLS
from stvit_video.evaluation.multi_label_tables import clip_mean_average_precision, multi_label_clip_rows
from stvit_video.evaluation.multiview import AVERAGES
from stvit_video.evaluation.tables import clip_accuracy, clip_rows, describe_unread, metric_word, write_rows
from stvit_video.inference.recognizer import load_recognizer, make_output_dir
from stvit_video.inference.scoring import USER_ERRORS, evaluate_manifest, score_videos


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; what is left out is as the checkpoint says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0], allow_abbrev=False)
    parser.add_argument("--checkpoint", type=Path, required=True, help="written by stvit_video.train")
    parser.add_argument("--manifest", type=Path, required=True, help="CSV with the columns path,label")
    parser.add_argument("--root", type=Path, help="where relative paths start (default: beside the manifest)")
    parser.add_argument("--label-separator", help="between the labels of a video, such as | (default: the training's)")
    parser.add_argument("--protocol", choices=tuple(PROTOCOLS), help="which frames and crops, by name")
    parser.add_argument("--num-clips", type=int, help="clips of a video")
    parser.add_argument("--num-crops", type=int, help="crops of a clip: 1 or 3")
    parser.add_argument("--average", choices=AVERAGES, help="mean of softmax, or of logits")
    parser.add_argument("--num-frames", type=int, help="frames of a clip")
    parser.add_argument("--frame-stride", type=int, help="distance between two frames of a clip, in video frames")
    parser.add_argument("--short-side", type=int, help="pixels of a frame's short side before cropping")
    parser.add_argument("--crop-size", type=int, help="pixels of a crop's side")
    parser.add_argument("--output-dir", type=Path, default=Path("outputs/evaluate_clips"))
    parser.add_argument("--batch-size", type=int, default=4, help="videos that are loaded together")
    parser.add_argument("--num-workers", type=int, default=0, help="processes that decode")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ...")
    parser.add_argument("--backend", default="auto", help="decoder: auto (PyAV), decord, torchcodec, or isolated")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Evaluate, write the two tables, print both accuracies.

    Raises:
        ValueError: CheckpointError, ManifestError, a setting out of range, or a folder that can't be written.
        NothingEvaluatedError: not one video could be read.
        NonFiniteLogitsError: the model gives NaN.
    """
    recognizer = load_recognizer(
        options.checkpoint,
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
    """Run; the exit code is 0, or 1 after an error, which goes to stderr in one line."""
    try:
        run(parse_arguments(arguments))
    except USER_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
