"""From the Kinetics CSV and a folder of downloads to a manifest, and to videos that are quick to read.

python scripts/prepare_kinetics.py csv=val.csv videos=downloads output=k400/val.csv transcode=true short_side=256

Running it again goes on where it ended. What is not usable stands with its reason in <output>.left_out.csv.
"""

import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from stvit_video.data.curation.pack_shards import pack_clips, parse_bytes
from stvit_video.data.curation.prepare_videos import Clip, copy_clips, find_clips, write_lists
from stvit_video.data.curation.transcode import Encoding
from stvit_video.utils.command_line import Command, Given, Setting
from stvit_video.utils.executor import ProcessStartError
from stvit_video.utils.value_kinds import PATH, TEXT, YES_NO, positive_number, whole

NUM_SHOWN = 5


COMMAND = Command(
    prog="python scripts/prepare_kinetics.py",
    summary="From the Kinetics CSV and a folder of downloads to a manifest, and to videos that are quick to read.",
    settings=(
        Setting(name="csv", kind=PATH, help="label,youtube_id,time_start,time_end,split", is_needed=True),
        Setting(name="videos", kind=PATH, help="folder of the downloads, or of class folders", is_needed=True),
        Setting(name="output", kind=PATH, help="the manifest to write", is_needed=True),
        Setting(name="split", kind=TEXT, help="only the rows with this split", default_words="all"),
        Setting(
            name="untrimmed",
            kind=YES_NO,
            help="<id>.mp4 is the whole YouTube video, not yet cut to the row's time",
            default=False,
        ),
        Setting(name="transcode", kind=YES_NO, help="write a copy of each video and list that", default=False),
        Setting(name="copies", kind=PATH, help="folder of the copies", default_words="output without .csv"),
        Setting(name="short_side", kind=whole(), help="pixels of the copies", default=256),
        Setting(name="gop", kind=whole(), help="most frames from keyframe to keyframe", default=30),
        Setting(name="crf", kind=whole(), help="quality, 0 to 51, lower is better and larger", default=20),
        Setting(name="preset", kind=TEXT, help="libx264's trade of time against size", default="veryfast"),
        Setting(name="shards", kind=PATH, help="folder of tar shards to pack the videos into, by split"),
        Setting(name="shard_size", kind=TEXT, help="most bytes of a shard, such as 500MB", default="1GB"),
        Setting(
            name="videos_per_shard",
            kind=whole(low=1),
            help="videos of a shard, instead of its size",
            excludes=("shard_size",),
        ),
        Setting(name="seed", kind=whole(), help="of the order of the videos in the shards", default=0),
        Setting(name="num_workers", kind=whole(low=1), help="processes", default=os.cpu_count() or 1),
        Setting(
            name="time_limit_seconds",
            kind=positive_number(),
            help="for one video",
            default=600.0,
            aliases=("time_limit",),
        ),
    ),
    examples=(
        "python scripts/prepare_kinetics.py csv=val.csv videos=downloads output=k400/val.csv",
        "python scripts/prepare_kinetics.py csv=val.csv videos=downloads output=k400/val.csv transcode=true",
        "python scripts/prepare_kinetics.py csv=all.csv videos=downloads output=k400/all.csv shards=k400/shards",
    ),
    notes="""shards=k400/shards packs the usable videos (with transcode=true their copies) into tar files,
k400/shards/<split>/000000.tar and so on, for training with data=shards data.root=k400/shards.

Running it again goes on where it ended. What is not usable stands with its reason in <output>.left_out.csv.""",
)


class NoUsableVideoError(RuntimeError):
    """Not one of the listed videos can be used."""


def prepare(options: Given) -> None:
    """Find, copy if wanted, write both lists, print the counts.

    Raises:
        ValueError: ManifestError, or a setting out of range.
        NoUsableVideoError: all are left out.
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
            time_limit_seconds=options.time_limit_seconds,
        )
        print(f"{counts['done']} copies were made, {counts['kept']} were there, {counts['failed']} failed")
    if options.shards:
        clips = pack(clips, options)
    left_out_path = options.output.with_suffix(".left_out.csv")
    write_lists(clips, manifest_path=options.output, left_out_path=left_out_path)
    report(clips, options.output, left_out_path)
    if all(clip.reason for clip in clips):
        raise NoUsableVideoError(f"none of the {len(clips)} videos can be used; the reasons are in {left_out_path}")


def pack(clips: Sequence[Clip], options: Given) -> list[Clip]:
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
    """Prepare; gives the exit status."""
    multiprocessing.set_forkserver_preload(
        ["stvit_video.data.curation.prepare_videos"]
    )  # new processes start in no time
    return COMMAND.run(prepare, arguments, failures=(NoUsableVideoError, ProcessStartError))


if __name__ == "__main__":
    sys.exit(main())
