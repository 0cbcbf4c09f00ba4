"""Training and validation loaders of a detector, for Lightning."""

from dataclasses import dataclass

from stvit_video.data.loading.datamodule import Batches
from stvit_video.data.loading.picture_dataset import EvaluationPictures, PictureTransform, TrainingPictures
from stvit_video.data.loading.picture_loaders import PictureLoaders
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


class PictureDataModule(PictureLoaders):
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
        check_categories(train, val).raise_if_any("the data set")
        super().__init__(train, val, batches=batches, seed=seed)
        self.train_manifest = train
        self.val_manifest = val
        self.sizes = sizes
        self.rules = rules

    def make_training(self) -> TrainingPictures:
        """The training pictures, changed at random."""
        return TrainingPictures(
            self.train_manifest,
            transform=self.rules.transform,
            sizes=self.sizes,
            masks=self.rules.masks,
            seed=self.seed,
            max_attempts=self.rules.max_attempts,
            max_objects=self.rules.max_objects,
        )

    def make_evaluation(self) -> EvaluationPictures:
        """The validation pictures at the size of the test."""
        return EvaluationPictures(self.val_manifest, sizes=self.sizes, masks=self.rules.val_masks)
