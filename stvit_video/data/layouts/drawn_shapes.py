"""The embedded data set for detection, which is drawn where it is missing."""

from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from stvit_video.data.layouts.coco import find_coco
from stvit_video.data.layouts.places import required
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.data.synthetic.shapes_dataset import write_shapes_dataset
from stvit_video.utils.addresses import Place


def find_drawn_shapes(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    root: Place | None = "data/shapes",
    num_train: Annotated[int, Field(ge=1)] = 400,
    num_val: Annotated[int, Field(ge=1)] = 100,
    image_size: Annotated[int, Field(ge=32)] = 128,
    generation_seed: Annotated[int, Field(ge=0)] = 0,
) -> Callable[[], AnnotatedPictures]:
    """Find the embedded pictures of discs, squares and triangles; reading their list draws them first.

    Args:
        part: "train" or "val".
        known_classes: names of the categories in the order of a model's outputs; None = those of the file.
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
    place = required(root, "root", source="drawn_shapes")

    def read() -> AnnotatedPictures:
        folder = write_shapes_dataset(
            place, num_train=num_train, num_val=num_val, image_size=image_size, seed=generation_seed
        )
        return find_coco(part, known_classes=known_classes, root=str(folder))()

    return read
