import numpy as np
import pytest
import torch
from PIL import Image

from stvit_video.data.transforms.mapped_ops import MappedPicture, cropped_map, flipped_map, resized_map


@pytest.fixture
def sample():
    generator = torch.Generator().manual_seed(1)
    picture = torch.randint(0, 256, (3, 11, 17), generator=generator, dtype=torch.uint8)
    return MappedPicture(picture, torch.randint(0, 9, (11, 17), generator=generator, dtype=torch.uint8))


@pytest.mark.parametrize("size", [(23, 31), (5, 9), (11, 40), (7, 17)])
def test_labels_are_those_of_the_nearest_pixels_as_pillow_takes_them(sample, size):
    found = resized_map(sample, size)
    assert found.size == size
    expected = Image.fromarray(sample.labels.numpy()).resize(size[::-1], Image.Resampling.NEAREST)
    np.testing.assert_array_equal(found.labels, np.array(expected))
    rows, columns = (
        [int((place + 0.5) * old / new) for place in range(new)] for old, new in zip((11, 17), size, strict=True)
    )
    by_hand = [[int(sample.labels[row, column]) for column in columns] for row in rows]
    assert found.labels.tolist() == by_hand
    smooth = Image.fromarray(sample.picture.permute(1, 2, 0).numpy()).resize(size[::-1], Image.Resampling.BILINEAR)
    assert np.abs(np.array(smooth).astype(int) - found.picture.permute(1, 2, 0).numpy()).max() <= 1


def test_the_same_size_changes_nothing(sample):
    assert resized_map(sample, (11, 17)) is sample


def test_picture_and_labels_are_flipped_and_cut_together(sample):
    marked = MappedPicture(sample.picture, sample.picture[0])
    for changed in (flipped_map(marked), cropped_map(marked, top=2, left=5, height=4, width=7)):
        torch.testing.assert_close(changed.labels, changed.picture[0])
    assert flipped_map(marked).picture[0, 3].tolist() == sample.picture[0, 3].tolist()[::-1]
    part = cropped_map(marked, top=2, left=5, height=4, width=7)
    assert part.labels.tolist() == sample.picture[0, 2:6, 5:12].tolist()
