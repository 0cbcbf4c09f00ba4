"""Training and validation loaders of a detector, for Lightning."""

from dataclasses import dataclass

from stvit_video.data.loading.datamodule import Batches
from stvit_video.data.loading.picture_batch import collate_pictures
from stvit_video.data.loading.picture_dataset import EvaluationPictures, PictureTransform, TrainingPictures
from stvit_video.data.loading.resumable_datamodule import ResumableDataModule
from stvit_video.data.loading.resumable_loader import ResumableLoader
from stvit_video.data.loading.video_loader import VideoLoader
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.data.manifests.annotation_counts import check_categories
from stvit_video.data.transforms.picture_sizes import PictureSizes

__all__ = ["PictureDataModule", "PictureRules"]


@dataclass(frozen=True, kw_only=True)
class PictureRules:
    """How training pictures are made.

    Attributes:
        transform: what is done to a picture.
        masks: whether training targets have masks.
        val_masks: whether those of validation have; the AP needs none.
        max_attempts: pictures to try for one item before giving up, see `attempts_for`.
        max_objects: of a training picture, see `TrainingPictures`.
    """

    transform: PictureTransform
    masks: bool = False
    val_masks: bool = False
    max_attempts: int | None = None
    max_objects: int | None = None


class PictureDataModule(ResumableDataModule):
    """Training pictures changed at random, validation pictures only resized.

    Args:
        train: pictures to learn from.
        val: pictures to validate on, of the same categories.
        sizes: of the validation pictures, and the normalisation of all.
        rules: how training pictures are made.
        batches: how many make a batch, and who loads it.
        seed: of the order and of the changes; 0 or more.

    Raises:
        ManifestError: the categories of the two lists differ.
        ValueError: there are fewer training pictures than a batch takes.
    """

    def __init__(
        self,
        train: AnnotatedPictures,
        val: AnnotatedPictures,
        *,
        sizes: PictureSizes,
        rules: PictureRules,
        batches: Batches,
        seed: int = 0,
    ) -> None:
        super().__init__(num_workers=batches.num_workers, seed=seed)
        check_categories(train, val).raise_if_any("the data set")
        self.train_manifest = train
        self.val_manifest = val
        self.sizes = sizes
        self.rules = rules
        self.batches = batches
        self._train: TrainingPictures | None = None
        self._val: EvaluationPictures | None = None
        self._require_full_batch()

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in the order of the labels."""
        return self.train_manifest.classes

    @property
    def datasets(self) -> tuple[TrainingPictures | EvaluationPictures, ...]:
        """The data sets that `setup` has made so far."""
        return tuple(dataset for dataset in (self._train, self._val) if dataset is not None)

    def setup(self, stage: str | None = None) -> None:
        """Make the data sets that `stage` needs, once."""
        if self._train is None and stage in (None, "fit"):
            self._train = TrainingPictures(
                self.train_manifest,
                transform=self.rules.transform,
                sizes=self.sizes,
                masks=self.rules.masks,
                seed=self.seed,
                max_attempts=self.rules.max_attempts,
                max_objects=self.rules.max_objects,
            )
        if self._val is None:
            self._val = EvaluationPictures(self.val_manifest, sizes=self.sizes, masks=self.rules.val_masks)

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
        num_pictures, (_, world_size) = len(self.train_manifest.records), self.rank_and_world_size()
        if self.batches.size > num_pictures // world_size:
            raise ValueError(
                f"batch_size={self.batches.size} is more than the {num_pictures // world_size} training pictures of a "
                f"process ({num_pictures} pictures, {world_size} process(es)); lower batch_size or add pictures"
            )
