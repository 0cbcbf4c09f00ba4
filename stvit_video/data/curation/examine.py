"""Examines a whole data set: scan, quarantine, duplicates, and a summary that says what to do."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from stvit_video.data.curation.duplicates import (
    DuplicateGroup,
    Listed,
    check_distance,
    find_exact,
    find_near,
    find_shared_sources,
    write_duplicates,
)
from stvit_video.data.curation.scan import (
    CHANGING_SIZE,
    VARIABLE_RATE,
    WRONG_RATE,
    VideoReport,
    describe_intervals,
    scan_videos,
    write_report,
)
from stvit_video.data.decoding.pixel_shape import NOT_SQUARE
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.quarantine import Quarantined, write_quarantine
from stvit_video.data.sampling.frame_indices import clip_span, require_segment
from stvit_video.utils.choices import Frames

NUM_SHOWN = 8
FOLDED = (WRONG_RATE, CHANGING_SIZE, NOT_SQUARE)  # remarks that go on with figures of the file


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes:
        num_listed: part -> listed videos (segments).
        reports: path -> report of the file.
        quarantined: files that can't be used, and segments that lie outside their file.
        groups: duplicates.
        num_short: files with fewer frames than one training clip reaches over.
        list_faults: of the annotations, with which no training starts.
    """

    num_listed: Mapping[str, int]
    reports: Mapping[str, VideoReport]
    quarantined: tuple[Quarantined, ...]
    groups: tuple[DuplicateGroup, ...]
    num_short: int
    list_faults: tuple[str, ...] = ()


def examine(
    manifests: Mapping[str, Manifest],
    *,
    num_frames: int,
    frame_stride: int,
    num_workers: int,
    time_limit_seconds: float = 120.0,
    frames: Frames = "all",
    max_distance_bits: int = 8,
    show_progress: bool = True,
) -> Examination:
    """Read every listed file once, in processes that may die.

    Args:
        manifests: part ("train", "val") -> its videos.
        num_frames: of a training clip.
        frame_stride: distance of its frames.
        num_workers: processes at the same time.
        time_limit_seconds: for one file.
        frames: "all" = every frame is decoded, "some" = five of each file.
        max_distance_bits: see `find_near`.
        show_progress: draw a bar where the output is a terminal.

    Raises:
        ValueError: a setting is out of range.
    """
    span = clip_span(num_frames, frame_stride)
    check_distance(max_distance_bits)  # now, and not after hours of scanning
    listed = [
        Listed(record.place, part, " | ".join(manifest.label_names(record)))
        for part, manifest in manifests.items()
        for record in manifest.records
    ]
    videos = {record.place: record for manifest in manifests.values() for record in manifest.records}
    paths = list(dict.fromkeys(video.path for video in listed))
    scanned = scan_videos(
        [videos[path] if videos[path].byte_range or videos[path].is_picture else path for path in paths],
        num_workers=num_workers,
        time_limit_seconds=time_limit_seconds,
        frames=frames,
        show_progress=show_progress,
    )
    reports = dict(zip(paths, scanned, strict=True))
    exact, sources = find_exact(listed, reports), find_shared_sources(listed)
    near = find_near(listed, reports, max_distance_bits=max_distance_bits)
    return Examination(
        num_listed={part: len(manifest.records) for part, manifest in manifests.items()},
        reports=reports,
        quarantined=tuple(quarantine_entries(manifests.values(), reports)),
        groups=(*exact, *near, *sources),
        num_short=sum(r.num_frames is not None and r.num_frames < span for r in scanned),
    )


def quarantine_entries(manifests: Iterable[Manifest], reports: Mapping[str, VideoReport]) -> list[Quarantined]:
    """Files with faults, once each, and segments that begin behind the end of their file.

    Args:
        manifests: the listed videos.
        reports: path -> report, of every listed path.
    """
    entries: dict[tuple[str, float | None, float | None], str] = {}
    for record in (record for manifest in manifests for record in manifest.records):
        report = reports[record.place]
        if report.faults:
            entries[report.path, None, None] = "; ".join(report.faults)
        elif (record.start_seconds, record.end_seconds) != (None, None):
            assert report.num_frames is not None
            assert report.duration_seconds is not None
            assert report.fps is not None
            try:
                require_segment(
                    record.start_seconds,
                    record.end_seconds,
                    num_frames=report.num_frames,
                    video_seconds=report.duration_seconds,
                    fps=report.fps,
                )
            except ValueError as error:
                entries[report.path, record.start_seconds, record.end_seconds] = str(error)
    return [Quarantined(path, reason, start, end) for (path, start, end), reason in entries.items()]


def write_examination(examination: Examination, folder: Path) -> None:
    """Write report.csv, quarantine.csv and duplicates.csv.

    Raises:
        OSError: a file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_report(folder / "report.csv", examination.reports.values())
    write_quarantine(folder / "quarantine.csv", examination.quarantined)
    write_duplicates(folder / "duplicates.csv", examination.groups)


def describe(examination: Examination) -> list[str]:
    """The summary, a line for each thing that a reader should know."""
    reports, bad = list(examination.reports.values()), examination.quarantined
    good = [report for report in reports if not report.faults]
    listed = ", ".join(f"{count} {part}" for part, count in examination.num_listed.items())
    lines = [f"{len(reports)} files are listed ({listed}): {len(good)} are good, {len(reports) - len(good)} are not"]
    lines += [f"  {entry.path}: {entry.reason}" for entry in bad[:NUM_SHOWN]]
    if len(bad) > NUM_SHOWN:
        lines.append(f"  and {len(bad) - NUM_SHOWN} more")
    if good:
        lines.append(_describe_format(good))
    lines += _describe_variable_rates(good)
    lines += _describe_remarks(good)
    if examination.num_short:
        lines.append(f"{examination.num_short} files are shorter than one training clip; their last frame is repeated")
    is_of_pictures = bool(good) and not any(report.duration_seconds for report in good)
    return lines + _describe_duplicates(examination.groups, kind="picture" if is_of_pictures else "video")


def _describe_remarks(good: Sequence[VideoReport]) -> list[str]:
    """A line for each remark, the most common first; without what differs from file to file, such as a wrong rate."""
    remarks = Counter(
        next((start for start in FOLDED if remark.startswith(start)), remark)
        for report in good
        for remark in report.remarks
        if not remark.startswith(VARIABLE_RATE)
    )
    lines = [f"  {count} files: {remark}" for remark, count in remarks.most_common(NUM_SHOWN)]
    more = len(remarks) - NUM_SHOWN
    return [*lines, f"  and {more} other remarks, see report.csv"] if more > 0 else lines


def _describe_variable_rates(good: Sequence[VideoReport]) -> list[str]:
    intervals = [report.intervals_seconds for report in good if report.intervals_seconds is not None]
    if not intervals:
        return []
    smallest, means, largest = zip(*intervals, strict=True)
    return [
        f"  {len(intervals)} files: {VARIABLE_RATE}, {describe_intervals(min(smallest), fmean(means), max(largest))}; "
        "segments in seconds, data.target_fps and protocols that count at 30 frames a second go by the time stamps, "
        "all else counts frames, however long each is shown"
    ]


def _describe_format(good: Sequence[VideoReport]) -> str:
    codecs = ", ".join(f"{count} {codec}" for codec, count in Counter(report.codec for report in good).most_common())
    short_side = median(min(report.width or 0, report.height or 0) for report in good)
    gops = [report.gop_frames or 0 for report in good]
    seconds = sum(report.duration_seconds or 0 for report in good)
    size = sum(report.size_bytes or 0 for report in good)
    if not seconds:  # pictures
        return f"{codecs}; {size / 1e9:.2f} GB, short side {short_side:g} pixels (median)"
    return (
        f"{codecs}; {seconds / 3600:.2f} hours, {size / 1e9:.2f} GB, short side {short_side:g} pixels (median), "
        f"{median(gops):g} frames from keyframe to keyframe (median; at most {max(gops)})"
    )


def _describe_duplicates(groups: Sequence[DuplicateGroup], *, kind: str) -> list[str]:
    leaks = Counter(group.kind for group in groups if group.is_leak)
    inside = sum(group.kind == "exact" and not group.is_leak for group in groups)
    contradicting = sum(group.kind != "source" and group.labels_differ for group in groups)
    counts = {
        f"{kind}s are in train and in val, byte by byte": leaks["exact"],
        f"pairs of a train and a val {kind} look the same": leaks["near"],
        "recordings have parts in train and others in val": leaks["source"],
        f"{kind}s are there more than once in one part": inside,
        "of these stand under different labels": contradicting,
    }
    return [f"{count} {words}" for words, count in counts.items() if count] or ["no duplicates were found"]
