"""The embedded data set for semantic segmentation, which is drawn where it is missing."""

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from stvit_video.data.layouts.ade import find_ade
from stvit_video.data.layouts.places import required
from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.data.synthetic.maps_dataset import write_maps_dataset
from stvit_video.utils.addresses import Place

__all__ = ["find_drawn_maps"]


def find_drawn_maps(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    root: Place | None = "data/maps",
    num_train: Annotated[int, Field(ge=1)] = 400,
    num_val: Annotated[int, Field(ge=1)] = 100,
    image_size: Annotated[int, Field(ge=32)] = 128,
    generation_seed: Annotated[int, Field(ge=0)] = 0,
) -> Callable[[], MappedPictures]:
    """Find the embedded pictures of discs, squares and triangles with label maps; reading their list draws them first.

    Args:
        part: "train" or "val".
        known_classes: not used; the classes are ground, disc, square and triangle.
        root: where the pictures are.
        num_train: training pictures.
        num_val: validation pictures.
        image_size: long side of a picture in pixels.
        generation_seed: decides what the pictures show.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing.
    """
    place = required(root, "root", source="drawn_maps")

    def read() -> MappedPictures:
        folder = write_maps_dataset(
            place, num_train=num_train, num_val=num_val, image_size=image_size, seed=generation_seed
        )
        return find_ade(part, known_classes=known_classes, root=str(folder))()

    return read
