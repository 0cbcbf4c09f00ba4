"""Training and validation loaders of a segmenter, for Lightning."""

from dataclasses import dataclass

from stvit_video.data.loading.datamodule import Batches
from stvit_video.data.loading.map_dataset import EvaluationMaps, MapTransform, TrainingMaps
from stvit_video.data.loading.picture_loaders import PictureLoaders
from stvit_video.data.manifests.annotation_counts import category_faults
from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.data.transforms.map_sizes import MapSizes

__all__ = ["MapDataModule", "MapRules"]


@dataclass(frozen=True, kw_only=True)
class MapRules:
    """How training pictures are made.

    Attributes:
        transform: what is done to a picture.
        max_attempts: pictures to try for one item before giving up, see `attempts_for`.
    """

    transform: MapTransform
    max_attempts: int | None = None


class MapDataModule(PictureLoaders):
    """Training pictures changed at random, validation pictures only resized, with a label for each pixel.

    Args:
        train: pictures to learn from.
        val: pictures to validate on, of the same classes.
        sizes: of the validation pictures, and the normalisation of all.
        rules: how training pictures are made.
        batches: how many make a batch, and who loads it.
        seed: of the order and of the changes; 0 or more.

    Raises:
        ManifestError: the classes of the two lists differ.
        ValueError: there are fewer training pictures than a batch takes.
    """

    def __init__(
        self,
        train: MappedPictures,
        val: MappedPictures,
        *,
        sizes: MapSizes,
        rules: MapRules,
        batches: Batches,
        seed: int = 0,
    ) -> None:
        differ = category_faults(train.classes, val.classes, names=("train", "val"), kind="classes")
        differ.raise_if_any("the data set")
        super().__init__(train, val, batches=batches, seed=seed)
        self.train_manifest = train
        self.val_manifest = val
        self.sizes = sizes
        self.rules = rules

    def make_training(self) -> TrainingMaps:
        """The training pictures, changed at random."""
        return TrainingMaps(
            self.train_manifest,
            transform=self.rules.transform,
            sizes=self.sizes,
            seed=self.seed,
            max_attempts=self.rules.max_attempts,
        )

    def make_evaluation(self) -> EvaluationMaps:
        """The validation pictures at the size of the test."""
        return EvaluationMaps(self.val_manifest, sizes=self.sizes)
