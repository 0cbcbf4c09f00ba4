"""Training and validation loaders for Lightning: seeded shuffling, shards without padding, worker set-up."""

import multiprocessing
from dataclasses import dataclass

from stvit_video.data.loading.clip_dataset import ClipDataset, ClipTransform, FrameReader
from stvit_video.data.loading.collate import collate_clips, collate_views
from stvit_video.data.loading.frame_source import Decoding
from stvit_video.data.loading.multi_scale import MultiScale, MultiScaleSampler, SizedBatches
from stvit_video.data.loading.resumable_datamodule import ResumableDataModule
from stvit_video.data.loading.resumable_loader import ResumableLoader
from stvit_video.data.loading.video_loader import VideoLoader
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.manifests.manifest import Manifest, check_classes
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.transforms.preprocessing import Preprocessing


@dataclass(frozen=True, kw_only=True)
class TrainingClips:
    """How training clips are made.

    Attributes:
        transform: crop, flip and normalisation, e.g. `TrainTransform`.
        sampling: which frames a clip takes. Where these are segments, validation takes the middle of each segment.
        num_repeats: clips made of one reading of a video, in the same batch, each augmented on its own; an epoch still
            reads each video once, so it has num_repeats times as many steps.
        max_attempts: videos to try for one clip before giving up, see `ClipDataset`.
        read_frames: reads training videos instead of our decoders, see `ClipDataset`.
        multi_scale: sizes of the clips, another one for every batch, and how the batch follows them; None = always
            `crop_size`, as in validation.
    """

    transform: ClipTransform
    sampling: ClipSampling = ClipSampling()  # noqa: RUF009 - frozen
    num_repeats: int = 1
    max_attempts: int | None = None
    read_frames: FrameReader | None = None
    multi_scale: MultiScale | None = None


@dataclass(frozen=True, kw_only=True)
class Batches:
    """How many make a batch, and who loads it.

    Attributes:
        size: training clips a step and process: num_repeats of each of size / num_repeats videos.
        val_size: validation videos a step and process; None = `size`.
        num_workers: processes that load for each loader; 0 = load in the main process.
        drop_last: leave out a last, smaller training batch.
    """

    size: int
    val_size: int | None = None
    num_workers: int = 0
    drop_last: bool = True


class VideoDataModule(ResumableDataModule):
    """Random clips of the training videos, fixed views of the validation videos.

    Args:
        train_manifest: videos to learn from.
        val_manifest: videos to validate on, read with classes=train_manifest.classes.
        preprocessing: frames of a clip, their distance, sizes and normalisation.
        clips: how training clips are made.
        batches: how many make a batch, and who loads it.
        decoding: decoder, and what is kept in memory.
        seed: of the order and of the clips; 0 or more.
        val_views: clips of each validation video, and crops of each clip, 1 or 3.

    Raises:
        ManifestError: the two manifests do not fit each other, see `check_classes`.
        ValueError: there are fewer training videos than a batch takes, or than one batch of each size of `multi_scale`.
    """

    def __init__(
        self,
        train_manifest: Manifest,
        val_manifest: Manifest,
        *,
        preprocessing: Preprocessing,
        clips: TrainingClips,
        batches: Batches,
        decoding: Decoding = Decoding(),  # noqa: B008 - frozen
        seed: int = 0,
        val_views: tuple[int, int] = (1, 1),
    ) -> None:
        super().__init__(num_workers=batches.num_workers, seed=seed)
        check_classes(train_manifest, val_manifest)
        self.train_manifest = train_manifest
        self.val_manifest = val_manifest
        self.preprocessing = preprocessing
        self.clips = clips
        self.batches = batches
        self.decoding = decoding
        self.val_views = val_views
        self._train: ClipDataset | None = None
        self._val: ViewDataset | None = None
        self._require_full_batch()

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels."""
        return self.train_manifest.classes

    @property
    def datasets(self) -> tuple[ClipDataset | ViewDataset, ...]:
        """The data sets that `setup` has made so far."""
        return tuple(dataset for dataset in (self._train, self._val) if dataset is not None)

    @property
    def _spans_videos(self) -> bool:
        return self.clips.sampling.sampling == "segments"

    @property
    def videos_per_batch(self) -> int:
        """Videos that the clips of a training batch are from: batch_size / num_repeats (multi-scale: at crop_size)."""
        return self.batches.size // self.clips.num_repeats

    def setup(self, stage: str | None = None) -> None:
        """Make the data sets that `stage` needs, once; with cache="memory" this decodes their videos."""
        if self._train is None and stage in (None, "fit"):
            self._train = ClipDataset(
                self.train_manifest,
                preprocessing=self.preprocessing,
                transform=self.clips.transform,
                seed=self.seed,
                decoding=self.decoding,
                sampling=self.clips.sampling,
                num_repeats=self.clips.num_repeats,
                max_attempts=self.clips.max_attempts,
                read_frames=self.clips.read_frames,
            )
        if self._val is None:
            self._val = ViewDataset(
                self.val_manifest,
                preprocessing=self.preprocessing,
                protocol="videomae_ssv2" if self._spans_videos else "uniform",
                num_clips=self.val_views[0],
                num_crops=self.val_views[1],
                decoding=self.decoding,
            )

    def train_dataloader(self) -> VideoLoader:
        """Batches of `batches.size` clips, as `collate_clips` makes them; a resumed epoch begins where it stopped.

        With `multi_scale`, batches are of one size each, and of as many clips as `MultiScale` says.
        """
        self.setup("fit")
        assert self._train is not None
        self._require_full_batch()
        return self.resumed(self._training_loader(self._train))

    def val_dataloader(self) -> VideoLoader:
        """Batches of `ViewDataset` items as `collate_views` makes them: each video once, in order."""
        self.setup("validate")
        assert self._val is not None
        self.require_for_each_process(len(self.val_manifest.records), "video")
        return self.loader(
            self._val,
            VideoLoader,
            sampler=self.sampler(self._val, shuffle=False),
            batch_size=self.batches.val_size or self.batches.size,
            collate=collate_views,
            context=self._worker_context(),
        )

    def _training_loader(self, clips: ClipDataset) -> ResumableLoader:
        if self.clips.multi_scale is None:
            return self.loader(
                clips,
                ResumableLoader,
                sampler=self.sampler(clips, shuffle=True),
                batch_size=self.videos_per_batch,
                collate=collate_clips,
                drop_last=self.batches.drop_last,
                context=self._worker_context(),
            )
        rank, world_size = self.rank_and_world_size()
        sized = MultiScaleSampler(
            clips, multi_scale=self.clips.multi_scale, seed=self.seed, rank=rank, world_size=world_size
        )
        return self.loader(
            SizedBatches(clips),
            ResumableLoader,
            sampler=sized,
            batch_size=None,
            collate=collate_clips,
            context=self._worker_context(),
        )

    def _worker_context(self) -> str | None:
        """Forked workers share the kept frames; other ones would copy them."""
        can_fork = "fork" in multiprocessing.get_all_start_methods()
        return "fork" if self.batches.num_workers > 0 and self.decoding.cache == "memory" and can_fork else None

    def _require_full_batch(self) -> None:
        num_videos, (_, world_size) = len(self.train_manifest.records), self.rank_and_world_size()
        if self.videos_per_batch > num_videos // world_size:
            count = self.clips.num_repeats
            repeats = f" with num_repeats={count}" if count > 1 else ""
            raise ValueError(
                f"batch_size={self.batches.size}{repeats} is more than the {num_videos // world_size} training videos "
                f"of a process ({num_videos} videos, {world_size} process(es)); lower batch_size or add videos"
            )
        if self.clips.multi_scale is not None:
            self._require_fitting_sizes(self.clips.multi_scale)
            self.clips.multi_scale.count_batches(num_videos // world_size)

    def _require_fitting_sizes(self, multi_scale: MultiScale) -> None:
        given = multi_scale.crop_size, multi_scale.videos_per_batch
        needed = self.preprocessing.crop_size, self.videos_per_batch
        if given != needed or not self.batches.drop_last:
            raise ValueError(
                f"multi_scale is for crop_size, videos_per_batch={given} and whole batches alone; here they are "
                f"{needed} with drop_last={self.batches.drop_last}; make them the same, and use drop_last=True"
            )
