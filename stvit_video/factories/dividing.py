"""Divide the videos of a folder without parts into training and validation videos."""

from collections.abc import Sequence

from lightning.pytorch.utilities import rank_zero_only

from stvit_video.data.curation.alike import MAX_COMPARED, find_alike
from stvit_video.data.layouts.undivided import Undivided
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.holding_back import describe_parts, hold_back, part_of
from stvit_video.data.manifests.kept_split import KeptSplit
from stvit_video.data.manifests.manifest import Manifest


def divided(undivided: Undivided, *, num_workers: int, kept: KeptSplit | None = None) -> tuple[Manifest, Manifest]:
    """The training and the validation videos; the first process prints how many of each class.

    Args:
        undivided: what the layout has found.
        num_workers: processes that read the videos to compare them; 0 counts as 1.
        kept: the parts of then, which are taken as they are; None = divide the videos that are in the folder.

    Raises:
        ManifestError: every fault of the folder, or classes that can't be divided.
    """
    if kept is not None:
        _tell_added(undivided, kept)
        train = undivided.read_named(kept.train)
        return train, undivided.read_named(kept.val, classes=train.classes)
    whole = undivided.read_all()
    pairs, remark = _alike(undivided, whole, num_workers=max(1, num_workers))
    held_back = hold_back(whole, fraction=undivided.fraction, by=undivided.by, alike=pairs)
    train, val = (part_of(whole, held_back, part) for part in ("train", "val"))
    line = describe_parts(train, val, fraction=undivided.fraction, by=undivided.by)
    rank_zero_only(print)(f"{undivided.folder}: {line}{remark}", flush=True)
    return train, val


def _tell_added(undivided: Undivided, kept: KeptSplit) -> None:
    """Say that videos lie in the folder which the training that goes on does not use."""
    try:
        names = {record.video_id for record in undivided.read_all().records}
    except ManifestError:
        return  # of faults in the folder those videos tell that the training needs
    added = sorted(names - set(kept.train) - set(kept.val))
    if added:
        rank_zero_only(print)(
            f"{undivided.folder}: {len(added)} videos were added since this training began (first: {added[0]}) and are "
            "not used by it; another run=NAME divides the folder anew",
            flush=True,
        )


def _alike(undivided: Undivided, whole: Manifest, *, num_workers: int) -> tuple[Sequence[tuple[int, int]], str]:
    """Pairs of alike videos, and what there is to say of the comparison."""
    if undivided.by != "group":
        return (), ""
    num_videos = len(whole.records)
    if num_videos > MAX_COMPARED:
        return (), (
            f"; these are more than {MAX_COMPARED} videos, so groups are made by names alone and no pictures are "
            "compared (python -m stvit_video.doctor finds videos that are alike)"
        )
    pairs, num_unread = find_alike(whole, num_workers=num_workers)
    records = whole.records
    within = {position for pair in pairs for position in pair if records[pair[0]].label == records[pair[1]].label}
    across = [pair for pair in pairs if records[pair[0]].label != records[pair[1]].label]
    remarks = [f"; {len(within)} videos look like another of their class and stay together"] if within else []
    if across:
        first, second = (records[position].video_id for position in across[0])
        remarks.append(
            f"; {len({position for pair in across for position in pair})} videos look like one of another class, such "
            f"as {first} and {second}: give each video one label"
        )
    if num_unread:
        remarks.append(f"; {num_unread} could not be read to compare them")
    return pairs, "".join(remarks)
