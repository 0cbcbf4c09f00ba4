"""Training and validation loaders for Lightning: seeded shuffling, shards without padding, worker set-up."""

import multiprocessing
from typing import Any, TypeVar

import lightning
import torch
from torch.utils.data import DataLoader, Dataset

from stvit_video.data.loading.clip_dataset import ClipDataset, ClipTransform, FrameReader
from stvit_video.data.loading.collate import collate_clips, collate_views
from stvit_video.data.loading.distributed_sampler import UnpaddedDistributedSampler
from stvit_video.data.loading.frame_source import Cache
from stvit_video.data.loading.multi_scale import MultiScale, MultiScaleSampler, SizedBatches
from stvit_video.data.loading.resumable_loader import ResumableLoader
from stvit_video.data.loading.view_dataset import ViewDataset
from stvit_video.data.loading.worker_init import init_worker
from stvit_video.data.manifests.manifest import Manifest, check_classes
from stvit_video.data.sampling.clip_sampling import ClipSampling
from stvit_video.data.transforms.preprocessing import Preprocessing

Loader = TypeVar("Loader", bound=DataLoader[Any])


class VideoDataModule(lightning.LightningDataModule):
    """Random clips of the training videos, fixed views of the validation videos.

    Args:
        train_manifest: videos to learn from.
        val_manifest: videos to validate on, read with classes=train_manifest.classes.
        preprocessing: frames of a clip, their distance, sizes and normalisation.
        train_transform: crop, flip and normalisation of training clips, e.g. `TrainTransform`.
        batch_size: training clips a step and process: num_repeats of each of batch_size / num_repeats videos.
        val_batch_size: validation videos a step and process; None = `batch_size`.
        num_workers: processes that load for each loader; 0 = load in the main process.
        backend: decoder, see `open_video`.
        seed: of the order and of the clips; 0 or more.
        cache: "memory" = decode all videos once and keep them; "none" = decode each time.
        cache_short_side: pixels of the short side of kept frames; None = that of `preprocessing`.
        cache_limit_gb: most memory to take for the kept frames of each of the two sets, in 10^9 bytes.
        num_clips: clips of each validation video.
        num_crops: crops of each validation clip, 1 or 3.
        drop_last: leave out a last, smaller training batch.
        sampling: which frames a training clip takes; None = dense. Where these are segments, validation takes the
            middle of each segment.
        num_repeats: training clips made of one reading of a video, in the same batch, each augmented on its own;
            an epoch still reads each video once, so it has num_repeats times as many steps.
        max_attempts: training videos to try for one clip before giving up, see `ClipDataset`.
        read_frames: reads training videos instead of ours, see `ClipDataset`.
        multi_scale: sizes of training clips, another one for every batch, and how `batch_size` follows them; None =
            always `crop_size`, as in validation.

    Raises:
        ManifestError: the two manifests do not fit each other, see `check_classes`.
        ValueError: a setting is not allowed, or there are fewer training videos than `batch_size`, or than one batch
            of each size of `multi_scale`.
    """

    def __init__(
        self,
        train_manifest: Manifest,
        val_manifest: Manifest,
        *,
        preprocessing: Preprocessing,
        train_transform: ClipTransform,
        batch_size: int,
        val_batch_size: int | None = None,
        num_workers: int = 0,
        backend: str = "auto",
        seed: int = 0,
        cache: Cache = "none",
        cache_short_side: int | None = None,
        cache_limit_gb: float = 8.0,
        num_clips: int = 1,
        num_crops: int = 1,
        drop_last: bool = True,
        sampling: ClipSampling | None = None,
        num_repeats: int = 1,
        max_attempts: int | None = None,
        read_frames: FrameReader | None = None,
        multi_scale: MultiScale | None = None,
    ) -> None:
        super().__init__()
        check_classes(train_manifest, val_manifest)
        _require_sizes(batch_size, val_batch_size, num_workers)
        _require_whole_videos(batch_size, num_repeats)
        self.train_manifest = train_manifest
        self.val_manifest = val_manifest
        self.preprocessing = preprocessing
        self.train_transform = train_transform
        self.batch_size = batch_size
        self.val_batch_size = batch_size if val_batch_size is None else val_batch_size
        self.num_workers = num_workers
        self.backend = backend
        self.seed = seed
        self.cache: Cache = cache
        self.cache_short_side = cache_short_side
        self.cache_limit_gb = cache_limit_gb
        self.num_clips = num_clips
        self.num_crops = num_crops
        self.drop_last = drop_last
        self.sampling = sampling
        self.num_repeats = num_repeats
        self.max_attempts = max_attempts
        self.read_frames = read_frames
        self.multi_scale = multi_scale
        self._train: ClipDataset | None = None
        self._val: ViewDataset | None = None
        self._train_loader: ResumableLoader | None = None
        self._resumed_state: dict[str, int] | None = None
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
        return self.sampling is not None and self.sampling.sampling == "segments"

    @property
    def videos_per_batch(self) -> int:
        """Videos that the clips of a training batch are from: batch_size / num_repeats (multi-scale: at crop_size)."""
        return self.batch_size // self.num_repeats

    def setup(self, stage: str | None = None) -> None:
        """Make the data sets that `stage` needs, once; with cache="memory" this decodes their videos."""
        if self._train is None and stage in (None, "fit"):
            self._train = ClipDataset(
                self.train_manifest,
                preprocessing=self.preprocessing,
                transform=self.train_transform,
                seed=self.seed,
                backend=self.backend,
                cache=self.cache,
                cache_short_side=self.cache_short_side,
                cache_limit_gb=self.cache_limit_gb,
                sampling=self.sampling,
                num_repeats=self.num_repeats,
                max_attempts=self.max_attempts,
                read_frames=self.read_frames,
            )
        if self._val is None:
            self._val = ViewDataset(
                self.val_manifest,
                preprocessing=self.preprocessing,
                protocol="videomae_ssv2" if self._spans_videos else "uniform",
                num_clips=self.num_clips,
                num_crops=self.num_crops,
                backend=self.backend,
                cache=self.cache,
                cache_short_side=self.cache_short_side,
                cache_limit_gb=self.cache_limit_gb,
            )

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of `batch_size` clips, as `collate_clips` makes them; a resumed epoch begins where it stopped.

        With `multi_scale`, batches are of one size each, and of as many clips as `MultiScale` says.
        """
        self.setup("fit")
        assert self._train is not None
        self._require_full_batch()
        self._train_loader = self._training_loader(self._train)
        if self._resumed_state is not None:
            self._train_loader.load_state_dict(self._resumed_state)
            self._resumed_state = None
        return self._train_loader

    def state_dict(self) -> dict[str, Any]:
        """The place in the training epoch, for a checkpoint."""
        return {} if self._train_loader is None else {"train_loader": self._train_loader.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the next training loader begin at that place.

        Differs: Lightning gives a loader its state only after it has taken the first iterator from it.
        """
        self._resumed_state = state_dict["train_loader"]

    def val_dataloader(self) -> DataLoader[Any]:
        """Batches of `ViewDataset` items as `collate_views` makes them: each video once, in order."""
        self.setup("validate")
        assert self._val is not None
        num_videos, (_, world_size) = len(self.val_manifest.records), self._rank_and_world_size()
        if num_videos < world_size:  # a process without a batch would leave the others waiting
            raise ValueError(
                f"{num_videos} validation video(s) are too few for {world_size} processes, each needs one; add videos, "
                f"or use trainer.devices={num_videos} or less"
            )
        sampler = self._sampler(self._val, shuffle=False)
        return self._loader(self._val, DataLoader, sampler=sampler, batch_size=self.val_batch_size)

    def _training_loader(self, clips: ClipDataset) -> ResumableLoader:
        if self.multi_scale is None:
            sampler = self._sampler(clips, shuffle=True)
            return self._loader(clips, ResumableLoader, sampler=sampler, batch_size=self.videos_per_batch)
        rank, world_size = self._rank_and_world_size()
        sized = MultiScaleSampler(clips, multi_scale=self.multi_scale, seed=self.seed, rank=rank, world_size=world_size)
        return self._loader(SizedBatches(clips), ResumableLoader, sampler=sized, batch_size=None)

    def _sampler(self, dataset: Dataset[Any], *, shuffle: bool) -> UnpaddedDistributedSampler:
        rank, world_size = self._rank_and_world_size()
        return UnpaddedDistributedSampler(dataset, shuffle=shuffle, seed=self.seed, rank=rank, world_size=world_size)

    def _loader(
        self, dataset: Dataset[Any], kind: type[Loader], *, sampler: UnpaddedDistributedSampler, batch_size: int | None
    ) -> Loader:
        """A loader; batch_size=None = the sampler gives whole batches."""
        return kind(
            dataset,
            batch_size=batch_size,
            sampler=sampler,
            num_workers=self.num_workers,
            collate_fn=collate_clips if sampler.shuffle else collate_views,
            pin_memory=torch.cuda.is_available(),
            drop_last=sampler.shuffle and self.drop_last and batch_size is not None,
            worker_init_fn=init_worker,
            multiprocessing_context=self._worker_context(),
            persistent_workers=self.num_workers > 0,
        )

    def _worker_context(self) -> str | None:
        """Forked workers share the kept frames; other ones would copy them."""
        can_fork = "fork" in multiprocessing.get_all_start_methods()
        return "fork" if self.num_workers > 0 and self.cache == "memory" and can_fork else None

    def _rank_and_world_size(self) -> tuple[int, int]:
        return (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)

    def _require_full_batch(self) -> None:
        num_videos, (_, world_size) = len(self.train_manifest.records), self._rank_and_world_size()
        if self.videos_per_batch > num_videos // world_size:
            repeats = f" with num_repeats={self.num_repeats}" if self.num_repeats > 1 else ""
            raise ValueError(
                f"batch_size={self.batch_size}{repeats} is more than the {num_videos // world_size} training videos "
                f"of a process ({num_videos} videos, {world_size} process(es)); lower batch_size or add videos"
            )
        if self.multi_scale is not None:
            self._require_fitting_sizes(self.multi_scale)
            self.multi_scale.count_batches(num_videos // world_size)

    def _require_fitting_sizes(self, multi_scale: MultiScale) -> None:
        given = multi_scale.crop_size, multi_scale.videos_per_batch
        needed = self.preprocessing.crop_size, self.videos_per_batch
        if given != needed or not self.drop_last:
            raise ValueError(
                f"multi_scale is for crop_size, videos_per_batch={given} and whole batches alone; here they are "
                f"{needed} with drop_last={self.drop_last}; make them the same, and use drop_last=True"
            )


def _require_sizes(batch_size: int, val_batch_size: int | None, num_workers: int) -> None:
    if batch_size < 1 or (val_batch_size is not None and val_batch_size < 1) or num_workers < 0:
        raise ValueError(
            f"batch_size={batch_size} and val_batch_size={val_batch_size} must be at least 1, "
            f"num_workers={num_workers} at least 0"
        )


def _require_whole_videos(batch_size: int, num_repeats: int) -> None:
    if num_repeats < 1 or batch_size % num_repeats:
        raise ValueError(
            f"batch_size={batch_size} counts clips, num_repeats={num_repeats} of each video, so num_repeats must be "
            "at least 1 and batch_size a multiple of it"
        )
