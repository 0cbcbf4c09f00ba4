"""How quick the data room is on the user's own videos, beside the decoders alone and beside pytorchvideo.

Whatever is compared runs in as many processes, in turns, so that a busy machine slows both sides alike; of each
side the quickest pass counts.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.utils.data import Dataset, SequentialSampler

from stvit_video.data.benchmarks.bare_decoders import (
    SEED,
    EvenClip,
    PlannedClip,
    RawClips,
    decode_whole_file,
    read_with_decord,
    read_with_pyav,
)
from stvit_video.data.loading.clip_dataset import ClipDataset
from stvit_video.data.loading.collate import collate_clips
from stvit_video.data.loading.video_loader import VideoLoader
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.frame_indices import clip_span
from stvit_video.data.sampling.protocols import find_protocol
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.data.transforms.train_transform import TrainTransform
from stvit_video.utils.optional import load_optional

CLASSES = ("unknown",)  # labels don't matter here

Pass = Callable[[], int]  # reads everything once, returns how many clips (videos) that were


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One row: what this package reaches, and what it stands beside.

    Attributes:
        ours: what was measured.
        reference: beside what.
        our_rate: clips (or videos) a second; None = not measured.
        reference_rate: likewise.
        is_time: the ratio is one of times (ours / reference: less is better), not of rates.
        target: the least ratio that is wanted, for times the largest; None = there is none.
        note: why it was not measured, or what to know about the figures.
    """

    ours: str
    reference: str
    our_rate: float | None = None
    reference_rate: float | None = None
    is_time: bool = False
    target: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Rate to rate, or time to time; None where one of them is missing."""
        if self.our_rate is None or self.reference_rate is None:
            return None
        return self.reference_rate / self.our_rate if self.is_time else self.our_rate / self.reference_rate

    @property
    def is_met(self) -> bool | None:
        """Whether the ratio reaches the target; None where there is no ratio or no target."""
        if self.ratio is None or self.target is None:
            return None
        return self.ratio <= self.target if self.is_time else self.ratio >= self.target


def best_rates(passes: Sequence[Pass], *, repeats: int) -> list[float]:
    """Clips a second of each pass, the best of `repeats` after one that does not count; they take turns.

    Raises:
        ValueError: a pass gave nothing, or `repeats` is below 1.
    """
    if repeats < 1:
        raise ValueError(f"repeats={repeats} is not possible; give at least 1")
    rates = [0.0] * len(passes)
    for number in range(repeats + 1):
        for position, read_all in enumerate(passes):
            start = time.perf_counter()
            count = read_all()
            if count < 1:
                raise ValueError(f"pass {position} gave no clip, so there is no rate")
            if number:
                rates[position] = max(rates[position], count / (time.perf_counter() - start))
    return rates


def compare_decoders(
    plan: Sequence[PlannedClip],
    *,
    preprocessing: Preprocessing,
    name: str,
    num_workers: int,
    batch_size: int = 4,
    repeats: int = 3,
) -> list[Comparison]:
    """The training pipeline beside decord alone, PyAV alone (same frames of the same files) and pytorchvideo.

    Args:
        plan: from `plan_clips` with the same preprocessing.
        preprocessing: of the clips.
        name: of the videos, for the table.
        num_workers: processes of each side; 0 = read in this process.
        batch_size: clips of a batch.
        repeats: passes that count.

    Raises:
        ValueError: a number is out of range.
        BrokenVideosError: the files can't be read.
    """
    paths = [clip.path for clip in plan]
    passes = [
        _training_pass(paths, preprocessing=preprocessing, num_workers=num_workers, batch_size=batch_size),
        *(
            _pass(RawClips(plan, read=read), num_workers=num_workers, batch_size=batch_size, collate=None)
            for read in (read_with_decord, read_with_pyav)
        ),
    ]
    theirs, reason = _try_pytorchvideo(
        plan, preprocessing=preprocessing, num_workers=num_workers, batch_size=batch_size
    )
    passes += theirs
    ours, decord, pyav, *others = best_rates(passes, repeats=repeats)
    what = f"training clips of {name}, whole pipeline"
    return [
        Comparison(ours=what, reference="decord alone, same frames", our_rate=ours, reference_rate=decord, target=0.85),
        Comparison(ours=what, reference="PyAV alone, same frames", our_rate=ours, reference_rate=pyav),
        Comparison(
            ours=what,
            reference="pytorchvideo LabeledVideoDataset, same duration",
            our_rate=ours,
            reference_rate=others[0] if others else None,
            target=2.0,
            note=reason,
        ),
    ]


def _try_pytorchvideo(
    plan: Sequence[PlannedClip], *, preprocessing: Preprocessing, num_workers: int, batch_size: int
) -> tuple[list[Pass], str]:
    """The pass of pytorchvideo, or none and the reason why."""
    try:
        theirs = _pytorchvideo_pass(plan, preprocessing=preprocessing, num_workers=num_workers, batch_size=batch_size)
        if (count := theirs()) != len(plan):
            raise ValueError(f"it gave {count} clips of {len(plan)} videos")
    except Exception as error:  # whatever an unmaintained library does is a line of the table, not the end of it
        return [], f"not measured: {str(error) or type(error).__name__}"
    return [theirs], ""


def compare_prepared(
    original: str,
    prepared: str,
    *,
    preprocessing: Preprocessing,
    num_workers: int,
    num_clips: int = 16,
    batch_size: int = 4,
    repeats: int = 3,
) -> Comparison:
    """Training clips of a prepared copy beside those of its original, both through the whole pipeline.

    Raises:
        ValueError: a number is out of range.
        BrokenVideosError: a file can't be read.
    """
    passes = [
        _training_pass([path] * num_clips, preprocessing=preprocessing, num_workers=num_workers, batch_size=batch_size)
        for path in (prepared, original)
    ]
    ours, theirs = best_rates(passes, repeats=repeats)
    return Comparison(
        ours="training clips of the prepared copy, short side 256, GOP 30",
        reference="of its original, 720p, GOP 250",
        our_rate=ours,
        reference_rate=theirs,
        target=4.0,
    )


def compare_views(paths: Sequence[str], *, preprocessing: Preprocessing, name: str, repeats: int = 3) -> Comparison:
    """All 15 views of each video (protocol videomae) beside one decode of all its frames by decord, in this process.

    Args:
        paths: videos that decord may read.
        preprocessing: as trained.
        name: of the videos, for the table.
        repeats: passes that count.

    Raises:
        ValueError: a video can't be read, or `repeats` is out of range.
    """
    protocol = find_protocol("videomae")
    dataset = ViewDataset(
        _manifest(paths),
        preprocessing=protocol.preprocessing(preprocessing, num_crops=protocol.num_crops),
        protocol="videomae",
        num_clips=protocol.num_clips,
        num_crops=protocol.num_crops,
    )

    def all_views() -> int:
        for item in (dataset[index] for index in range(len(dataset))):
            if item["error"]:
                raise ValueError(item["error"])
        return len(dataset)

    def all_frames() -> int:
        return sum(1 for path in paths if decode_whole_file(path))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as in a worker
    try:
        ours, theirs = best_rates([all_views, all_frames], repeats=repeats)
    finally:
        torch.set_num_threads(threads)
    return Comparison(
        ours=f"{dataset.num_views} views of {name}",
        reference="one decode of all its frames by decord",
        our_rate=ours,
        reference_rate=theirs,
        is_time=True,
        target=1.3,
    )


def _manifest(paths: Sequence[str]) -> Manifest:
    records = (VideoRecord(Path(path), 0, f"{number}") for number, path in enumerate(paths))
    return Manifest(tuple(records), CLASSES)


def _training_pass(paths: Sequence[str], *, preprocessing: Preprocessing, num_workers: int, batch_size: int) -> Pass:
    """Clips as `VideoDataModule` makes them; epoch 0 each time, so that all passes read the same frames."""
    dataset = ClipDataset(
        _manifest(paths),
        preprocessing=preprocessing,
        transform=TrainTransform(preprocessing),
        seed=SEED,
    )
    return _pass(dataset, num_workers=num_workers, batch_size=batch_size, collate=collate_clips)


def _pytorchvideo_pass(
    plan: Sequence[PlannedClip], *, preprocessing: Preprocessing, num_workers: int, batch_size: int
) -> Pass:
    """Random clips of as many seconds as ours (the median over the files), then our own augmentation."""
    library = load_optional("pytorchvideo.data", needed_for="this comparison", install="pip install pytorchvideo")
    seconds = median(clip_span(preprocessing.num_frames, preprocessing.frame_stride) / clip.fps for clip in plan)
    dataset = library.LabeledVideoDataset(
        [(clip.path, {"label": 0}) for clip in plan],
        library.make_clip_sampler("random", seconds),
        SequentialSampler,
        transform=EvenClip(TrainTransform(preprocessing)),
        decode_audio=False,
    )
    return _pass(dataset, num_workers=num_workers, batch_size=batch_size, collate=None)


def _pass(dataset: Dataset[Any], *, num_workers: int, batch_size: int, collate: Callable[..., Any] | None) -> Pass:
    """One turn over a loader whose processes live on from pass to pass, so that starting them is not counted."""
    loader = VideoLoader(
        dataset,
        batch_size=batch_size,
        num_workers=num_workers,
        collate_fn=collate,
        persistent_workers=num_workers > 0,
    )
    return lambda: sum(len(batch["index"]) for batch in loader)
