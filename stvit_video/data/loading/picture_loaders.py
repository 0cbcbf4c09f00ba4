"""Training and validation loaders of listed pictures, for Lightning, whatever is known of the pictures."""

from abc import abstractmethod

from stvit_video.data.loading.datamodule import Batches
from stvit_video.data.loading.listed_pictures import ListedPictures, RandomPictures
from stvit_video.data.loading.picture_batch import collate_pictures
from stvit_video.data.loading.resumable_datamodule import ResumableDataModule
from stvit_video.data.loading.resumable_loader import ResumableLoader
from stvit_video.data.loading.video_loader import VideoLoader
from stvit_video.data.manifests.manifest import Manifest

__all__ = ["PictureLoaders"]


class PictureLoaders(ResumableDataModule):
    """Training pictures changed at random, validation pictures in order.

    Args:
        train: pictures to learn from.
        val: pictures to validate on, of the same classes.
        batches: how many make a batch, and who loads it.
        seed: of the order and of the changes; 0 or more.

    Raises:
        ValueError: there are fewer training pictures than a batch takes.
    """

    def __init__(self, train: Manifest, val: Manifest, *, batches: Batches, seed: int) -> None:
        super().__init__(num_workers=batches.num_workers, seed=seed)
        self.batches = batches
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
        """Batches as `collate_pictures` makes them; a resumed epoch begins where it stopped."""
        self.setup("fit")
        assert self._train is not None
        self._require_full_batch()
        return self.resumed(
            self.loader(
                self._train,
                ResumableLoader,
                sampler=self.sampler(self._train, shuffle=True),
                batch_size=self.batches.size,
                collate=collate_pictures,
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
        num_pictures, (_, world_size) = len(self._listed[0].records), self.rank_and_world_size()
        if self.batches.size > num_pictures // world_size:
            raise ValueError(
                f"batch_size={self.batches.size} is more than the {num_pictures // world_size} training pictures of a "
                f"process ({num_pictures} pictures, {world_size} process(es)); lower batch_size or add pictures"
            )
