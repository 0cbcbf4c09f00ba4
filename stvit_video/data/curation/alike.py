"""Which videos of a class show the same pictures, so that training and validation don't share them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from stvit_video.data.curation.duplicates import hash_table, near_pairs
from stvit_video.data.curation.scan import VideoReport, scan_videos
from stvit_video.data.manifests.manifest import Manifest

MAX_COMPARED = 2000  # videos; 300 clips of 5 s take 25 s in two processes, so these take some minutes
MAX_DISTANCE_BITS = 8  # see `stvit_video.data.curation.duplicates.find_near`


def find_alike(manifest: Manifest, *, num_workers: int) -> tuple[list[tuple[int, int]], int]:
    """Pairs of videos that are copies, or the same pictures in another encoding or size.

    Five frames of each video are read. One that can't be read is like no other.

    Args:
        manifest: the videos, one label each.
        num_workers: processes that read.

    Returns:
        Pairs of positions in the manifest, first those within a class, and how many videos could not be read.
    """
    reports = scan_videos(manifest.records, num_workers=num_workers, frames="some")
    classes: dict[int, list[int]] = defaultdict(list)
    for position, record in enumerate(manifest.records):
        classes[record.label].append(position)
    pairs = [pair for members in classes.values() for pair in alike_in_class(members, reports)]
    labels = [record.label for record in manifest.records]
    pairs += [
        (one, other) for one, other in alike_in_class(range(len(reports)), reports) if labels[one] != labels[other]
    ]
    return pairs, sum(bool(report.faults) for report in reports)


def alike_in_class(members: Sequence[int], reports: Sequence[VideoReport]) -> Iterator[tuple[int, int]]:
    """Pairs of positions; of many copies of one file not each pair, but enough to join them all.

    Args:
        members: positions of the videos of a class.
        reports: of all videos.
    """
    copies: dict[str, int] = {}
    for position in members:
        digest = reports[position].digest
        if digest and (other := copies.setdefault(digest, position)) != position:
            yield other, position
    read = [position for position in members if reports[position].frame_hashes]
    if not read:
        return
    table = hash_table([reports[position] for position in read])
    for one, other, _ in near_pairs(table, table, max_distance_bits=MAX_DISTANCE_BITS):
        if one < other:
            yield read[one], read[other]
