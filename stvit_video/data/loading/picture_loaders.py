"""Training and validation loaders of listed pictures, for Lightning, whatever is known of the pictures."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

from torch.utils.data import Dataset

from stvit_video.data.loading.datamodule import Batches
from stvit_video.data.loading.listed_pictures import ListedPictures, RandomPictures
from stvit_video.data.loading.picture_batch import collate_pictures
from stvit_video.data.loading.picture_clips import FrameClips, PictureClips, clip_rows, collate_picture_clips
from stvit_video.data.loading.resumable_datamodule import ResumableDataModule
from stvit_video.data.loading.resumable_loader import ResumableLoader
from stvit_video.data.loading.video_loader import Collate, VideoLoader
from stvit_video.data.manifests.manifest import Manifest

__all__ = ["PictureBatches", "PictureLoaders"]

PICTURES = FrameClips()  # each stands for itself


@dataclass(frozen=True, kw_only=True)
class PictureBatches(Batches):
    """How many pictures make a batch, and which of them are clips.

    Attributes:
        frames: which frames of videos a training clip has; `size` counts frames, so whole clips.

    Raises:
        ValueError: `size` is no multiple of the frames of a clip.
    """

    frames: FrameClips = PICTURES

    def __post_init__(self) -> None:
        if self.size % self.frames.num_frames:
            raise ValueError(
                f"batch_size={self.size} counts frames and is no multiple of clip_frames={self.frames.num_frames}; use "
                f"batch_size={-(-self.size // self.frames.num_frames) * self.frames.num_frames}"
            )

    @property
    def num_clips(self) -> int:
        """Clips of a training batch."""
        return self.size // self.frames.num_frames


class PictureLoaders(ResumableDataModule):
    """Training pictures, or clips of them, changed at random; validation pictures in order.

    Args:
        train: pictures to learn from.
        val: pictures to validate on, of the same classes.
        batches: how many make a batch, and who loads it.
        seed: of the order and of the changes; 0 or more.

    Raises:
        ValueError: there are fewer training pictures than a batch takes.
        ManifestError: clips are wanted, and the training pictures are no frames of videos.
    """

    def __init__(self, train: Manifest, val: Manifest, *, batches: Batches, seed: int) -> None:
        super().__init__(num_workers=batches.num_workers, seed=seed)
        self.batches = batches if isinstance(batches, PictureBatches) else PictureBatches(**vars(batches))
        self._listed = (train, val)
        self._train: RandomPictures | None = None
        self._val: ListedPictures | None = None
        self._require_full_batch()

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels."""
        return self._listed[0].classes

    @property
    def datasets(self) -> tuple[ListedPictures, ...]:
        """The data sets that `setup` has made so far."""
        return tuple(dataset for dataset in (self._train, self._val) if dataset is not None)

    def setup(self, stage: str | None = None) -> None:
        """Make the data sets that `stage` needs, once."""
        if self._train is None and stage in (None, "fit"):
            self._train = self.make_training()
        if self._val is None:
            self._val = self.make_evaluation()

    @abstractmethod
    def make_training(self) -> RandomPictures:
        """The training pictures, changed at random."""

    @abstractmethod
    def make_evaluation(self) -> ListedPictures:
        """The validation pictures, as they are tested."""

    def train_dataloader(self) -> VideoLoader:
        """Batches as `collate_pictures` makes them, of clips as `collate_picture_clips` does.

        A resumed epoch begins where it stopped.
        """
        self.setup("fit")
        assert self._train is not None
        self._require_full_batch()
        frames = self.batches.frames
        samples: Dataset[Any] = self._train if frames.num_frames == 1 else PictureClips(self._train, frames=frames)
        collate: Collate = collate_pictures if frames.num_frames == 1 else collate_picture_clips
        return self.resumed(
            self.loader(
                samples,
                ResumableLoader,
                sampler=self.sampler(samples, shuffle=True),
                batch_size=self.batches.num_clips,
                collate=collate,
                drop_last=self.batches.drop_last,
            )
        )

    def val_dataloader(self) -> VideoLoader:
        """Batches as `collate_pictures` makes them: each picture once, in order."""
        self.setup("validate")
        assert self._val is not None
        self.require_for_each_process(len(self._val), "picture")
        return self.loader(
            self._val,
            VideoLoader,
            sampler=self.sampler(self._val, shuffle=False),
            batch_size=self.batches.val_size or self.batches.size,
            collate=collate_pictures,
        )

    def _require_full_batch(self) -> None:
        train, frames, (_, world_size) = self._listed[0], self.batches.frames, self.rank_and_world_size()
        num_pictures = len(train.records)
        if frames.num_frames > 1:
            num_pictures = len(clip_rows(train, frames)) * frames.num_frames
        if self.batches.num_clips > num_pictures // frames.num_frames // world_size:
            raise ValueError(
                f"batch_size={self.batches.size} is more than the {num_pictures // world_size} training pictures of a "
                f"process ({num_pictures} pictures, {world_size} process(es)); lower batch_size or add pictures"
            )
