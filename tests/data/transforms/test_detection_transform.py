from collections import Counter

import pytest
import torch
from torch import Tensor

from stvit_video.data.transforms.annotated_ops import AnnotatedPicture
from stvit_video.data.transforms.detection_transform import DetectionTransform
from stvit_video.data.transforms.picture_sizes import PictureSizes
from stvit_video.utils.seeding import seeded_generator

H, W = 45, 64
SIZES = PictureSizes(short_side=60, long_side=100)


def sample(num_objects=3, size=(H, W)):
    generator = torch.Generator().manual_seed(2)
    corner = torch.rand(num_objects, 2, generator=generator) * torch.tensor([size[1] - 12, size[0] - 12])
    boxes = torch.cat([corner, corner + 10], dim=1)
    picture = torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=generator)
    masks = torch.zeros(num_objects, *size, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.round().int().tolist(), strict=True):
        mask[y1:y2, x1:x2] = 1
    return AnnotatedPicture(
        picture, boxes, torch.arange(num_objects), torch.zeros(num_objects, dtype=torch.bool), masks
    )


def results(number=40, *, given=None, **settings):
    transform = DetectionTransform(**({"sizes": SIZES} | settings))
    return [transform(given or sample(), generator=seeded_generator(7, index)) for index in range(number)]


def masks_fit(result: AnnotatedPicture, slack=2.0) -> bool:
    for mask, (x1, y1, x2, y2) in zip(result.masks, result.boxes.tolist(), strict=True):
        rows, columns = mask.nonzero(as_tuple=True)
        found = [columns.min() - x1, rows.min() - y1, columns.max() + 1 - x2, rows.max() + 1 - y2]
        if max(abs(float(distance)) for distance in found) > slack:
            return False
    return True


def tensors(result: AnnotatedPicture) -> list[Tensor]:
    return [result.picture, result.boxes, result.labels, result.crowd, result.masks]


def test_the_size_of_the_test_and_flips_are_all_by_default():
    found = results()
    assert {result.size for result in found} == {(60, 85)}
    assert len({tuple(result.boxes.flatten().tolist()) for result in found}) == 2
    flips = sum(bool(result.boxes[0, 0] != found[0].boxes[0, 0]) for result in found)
    assert 8 <= flips <= 32
    assert all(map(masks_fit, found))
    assert not any(len({*map(id, tensors(result))}) < 5 for result in found)


def test_draws_follow_from_the_generator_alone():
    settings = {"short_sides": (40, 50), "crop_probability": 0.5, "photometric_probability": 0.5}
    settings |= {"crop_short_sides": (40, 44), "crop_sides": (20, 40)}
    torch.manual_seed(1)
    first = results(8, **settings)
    torch.manual_seed(2)
    for one, other in zip(first, results(8, **settings), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(tensors(one), tensors(other), strict=True))


def test_short_sides_are_drawn_alike_often_and_the_long_side_is_a_limit():
    counts = Counter(min(result.size) for result in results(120, short_sides=(30, 40, 50, 80)))
    assert set(counts) == {30, 40, 50, 70}  # 80 x 114 is too long: 70 x 100
    assert min(counts.values()) > 15
    assert max(max(result.size) for result in results(20, short_sides=(80,))) == 100


def test_the_crop_branch_cuts_a_box_of_the_wanted_sides_out_of_a_smaller_picture():
    settings = {"crop_probability": 1.0, "crop_short_sides": (40, 50), "crop_sides": (30, 45)}
    settings |= {"sizes": PictureSizes(short_side=100, long_side=1000), "flip_probability": 0.0}
    found = results(60, **settings)
    shapes = {round(result.size[1] / result.size[0], 1) for result in found}
    assert min(shapes) >= 0.6  # 30 / 45
    assert max(shapes) <= 1.5
    assert len(shapes) > 4
    assert {min(result.size) for result in found} == {100}
    # objects of 10 pixels at a scale of 40 / 45 or 50 / 45, then at least 100 / 45: none is smaller in full
    widths = torch.cat([result.boxes[:, 2] - result.boxes[:, 0] for result in found])
    assert widths.max() <= 10 * 50 / 45 * 100 / 30 + 1
    assert widths.median() > 18
    assert all(masks_fit(result, slack=6.0) for result in found)
    assert any(len(result.labels) < 3 for result in found)


def test_small_pictures_are_cut_as_far_as_they_go():
    found = results(20, crop_probability=1.0, crop_short_sides=(20,), crop_sides=(384, 600))
    assert {result.size for result in found} == {(60, 84)}  # 20 x 28: nothing to cut


def test_half_of_the_pictures_take_the_branch():
    settings = {"crop_probability": 0.5, "crop_short_sides": (60,), "crop_sides": (20, 40), "flip_probability": 0.0}
    whole = sum(result.size == (60, 85) for result in results(100, **settings))
    assert 30 <= whole <= 70


def test_large_scale_jitter_gives_all_sizes_up_to_the_limit():
    found = results(80, scale_jitter=(0.5, 2.0), flip_probability=0.0)
    longs = [max(result.size) for result in found]
    assert max(longs) == 100
    assert min(longs) < 65
    assert sum(long == 100 for long in longs) > 30
    assert all(masks_fit(result, slack=3.0) for result in found)
    assert max(max(result.size) for result in results(30, scale_jitter=(0.5, 2.0), given=sample(size=(20, 90)))) == 100


def test_colours_change_and_boxes_stay():
    plain, coloured = results(6), results(6, photometric_probability=1.0)
    for one, other in zip(plain, coloured, strict=True):
        assert torch.equal(one.boxes, other.boxes)
        assert not torch.equal(one.picture, other.picture)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"flip_probability": 1.5}, "flip_probability=1.5"),
        ({"crop_probability": -0.1}, "crop_probability=-0.1"),
        ({"short_sides": (50, 101)}, r"short_sides=\[50, 101\] must be from 1 to long_side=100"),
        ({"crop_sides": (60, 40)}, r"crop_sides=\[60, 40\]"),
        ({"crop_short_sides": ()}, r"crop_short_sides=\[\]"),
        ({"scale_jitter": (0.0, 2.0)}, r"scale_jitter=\[0.0, 2.0\]"),
        ({"scale_jitter": (0.1, 2.0), "short_sides": (50,)}, r"scale_jitter.*short_sides=\[50\].*no effect"),
        ({"scale_jitter": (0.1, 2.0), "crop_probability": 0.5}, "crop_probability=0.5 have no effect"),
    ],
)
def test_values_out_of_range_are_named(settings, what):
    with pytest.raises(ValueError, match=what):
        DetectionTransform(sizes=SIZES, **settings)
