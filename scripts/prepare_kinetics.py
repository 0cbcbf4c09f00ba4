"""From the Kinetics CSV and a folder of downloads to a manifest, and to videos that are quick to read.

python scripts/prepare_kinetics.py --csv val.csv --videos downloads --output k400/val.csv
python scripts/prepare_kinetics.py --csv val.csv --videos downloads --output k400/val.csv --transcode --short-side 256
python scripts/prepare_kinetics.py --csv val.csv --videos downloads --output k400/val.csv --shards k400/shards

--shards packs the usable videos (with --transcode their copies) into tar files, k400/shards/<split>/000000.tar and so
on, for training with data=shards data.root=k400/shards.

Running it again goes on where it ended. What is not usable stands with its reason in <output>.left_out.csv.
"""

import argparse
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stvit_video.data.curation.pack_shards import pack_clips, parse_bytes
from stvit_video.data.curation.prepare_videos import Clip, copy_clips, find_clips, write_lists
from stvit_video.data.curation.transcode import Encoding

NUM_SHOWN = 5


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--csv", type=Path, required=True, help="label,youtube_id,time_start,time_end,split")
    parser.add_argument("--videos", type=Path, required=True, help="folder of the downloads, or of class folders")
    parser.add_argument("--output", type=Path, required=True, help="the manifest to write")
    parser.add_argument("--split", help="only the rows with this split")
    parser.add_argument(
        "--untrimmed", action="store_true", help="<id>.mp4 is the whole YouTube video, not yet cut to the row's time"
    )
    parser.add_argument("--transcode", action="store_true", help="write a copy of each video and list that")
    parser.add_argument("--copies", type=Path, help="folder of the copies (default: <output> without .csv)")
    parser.add_argument("--short-side", type=int, default=256, help="pixels of the copies (256)")
    parser.add_argument("--gop", type=int, default=30, help="most frames from keyframe to keyframe (30)")
    parser.add_argument("--crf", type=int, default=20, help="quality, 0 to 51, lower is better and larger (20)")
    parser.add_argument("--preset", default="veryfast", help="libx264's trade of time against size (veryfast)")
    parser.add_argument("--shards", type=Path, help="folder of tar shards to pack the videos into, by split")
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--shard-size", default="1GB", help="most bytes of a shard, e.g. 500MB (1GB)")
    limit.add_argument("--videos-per-shard", type=int, help="videos of a shard, instead of its size")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the videos in the shards (0)")
    parser.add_argument("--num-workers", type=int, default=os.cpu_count() or 1, help="processes (CPU cores)")
    parser.add_argument("--time-limit", type=float, default=600.0, help="seconds for one video (600)")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> None:
    """Find, copy if wanted, write both lists, print the counts.

    Raises:
        ValueError: ManifestError, a setting out of range, or no usable video.
        OSError: DiskFullError, or a file that can't be written.
    """
    encoding = Encoding(short_side=options.short_side, gop=options.gop, crf=options.crf, preset=options.preset)
    clips = find_clips(options.csv, video_dir=options.videos, split=options.split, untrimmed=options.untrimmed)
    num_found = sum(not clip.reason for clip in clips)
    print(f"{len(clips)} videos are listed, {num_found} are there, {len(clips) - num_found} are missing")
    if options.transcode:
        clips, counts = copy_clips(
            clips,
            folder=options.copies or options.output.with_suffix(""),
            encoding=encoding,
            num_workers=options.num_workers,
            time_limit_seconds=options.time_limit,
        )
        print(f"{counts['done']} copies were made, {counts['kept']} were there, {counts['failed']} failed")
    if options.shards:
        clips = pack(clips, options)
    left_out_path = options.output.with_suffix(".left_out.csv")
    write_lists(clips, manifest_path=options.output, left_out_path=left_out_path)
    report(clips, options.output, left_out_path)
    if all(clip.reason for clip in clips):
        raise ValueError(f"none of the {len(clips)} videos can be used; the reasons are in {left_out_path}")


def pack(clips: Sequence[Clip], options: argparse.Namespace) -> list[Clip]:
    """Pack the usable clips, print what is in each folder; returns the clips with what could not be packed.

    Raises:
        ValueError: PackingError, or a limit out of range.
        OSError: DiskFullError, or a file that can't be read or written.
    """
    count = options.videos_per_shard
    clips, splits = pack_clips(
        clips,
        folder=options.shards,
        manifest_path=options.output,
        shard_bytes=parse_bytes(options.shard_size) if count is None else None,
        videos_per_shard=count,
        seed=options.seed,
    )
    for split in splits:
        done, kept = split.num_shards["done"], split.num_shards["kept"]
        print(f"{split.folder}: {split.num_videos} videos; {done} shards were written, {kept} were there")
    return clips


def report(clips: Sequence[Clip], output: Path, left_out_path: Path) -> None:
    """Print how many videos each list holds, and the first that are left out."""
    usable, left_out = ([clip for clip in clips if bool(clip.reason) == is_bad] for is_bad in (False, True))
    splits = ", ".join(
        f"{count} {split or 'without split'}" for split, count in Counter(c.split for c in usable).items()
    )
    classes = len({clip.label for clip in usable})
    print(f"{output}: {len(usable)} videos of {classes} classes" + (f" ({splits})" if splits else ""))
    print(f"{left_out_path}: {len(left_out)} videos, with reasons")
    for clip in left_out[:NUM_SHOWN]:
        print(f"  {clip.label}: {clip.reason}")
    if len(left_out) > NUM_SHOWN:
        print(f"  and {len(left_out) - NUM_SHOWN} more")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; the exit code is 0, or 1 after an error, which goes to stderr in one line."""
    multiprocessing.set_forkserver_preload(
        ["stvit_video.data.curation.prepare_videos"]
    )  # new processes start in no time
    try:
        run(parse_arguments(arguments))
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
