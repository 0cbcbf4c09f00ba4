"""The embedded data set, which is written where it is missing."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.layouts.places import Reading, required
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.synthetic.dataset import write_synthetic_dataset
from stvit_video.utils.addresses import Place


def find_embedded(
    part: str,
    *,
    known_classes: Sequence[str] | None,
    root: Place | None = "data/synthetic",
    num_train: Annotated[int, Field(ge=1)] = 1440,
    num_val: Annotated[int, Field(ge=1)] = 360,
    image_size: Annotated[int, Field(ge=1)] = 64,
    video_frames: Annotated[int, Field(ge=2)] = 16,
    generation_seed: Annotated[int, Field(ge=0)] = 0,
) -> Reading:
    """Find the embedded data set; reading its list writes the clips first.

    Args:
        part: "train" or "val".
        known_classes: labels in the order of a model's logits; None = inferred and sorted.
        root: where the clips are.
        num_train: training clips.
        num_val: validation clips.
        image_size: height and width of a clip in pixels.
        video_frames: frames of a clip.
        generation_seed: decides what the clips show.

    Returns:
        What reads the list, without arguments.

    Raises:
        ValueError: a setting is missing or contradicts another.
        ManifestError: a file or folder does not exist.
    """
    place = required(root, "root", source="synthetic")

    def read() -> Manifest:
        folder = write_synthetic_dataset(
            place,
            num_train=num_train,
            num_val=num_val,
            image_size=(image_size, image_size),
            num_frames=video_frames,
            seed=generation_seed,
        )
        return read_csv_manifest(folder / f"{part}.csv", classes=known_classes)

    return read
