import pytest
import torch

from stvit_video.data.transforms.annotated_ops import (
    AnnotatedPicture,
    cropped,
    flipped,
    only,
    resized,
    without_empty,
)

H, W = 37, 52
BOXES = [[3, 5, 20, 30], [25, 2, 52, 37], [40, 30, 45, 36]]


def sample(boxes=BOXES, *, masks=True, size=(H, W)):
    """Filled boxes: the mask of each is all of it, the picture shows them."""
    boxes = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    drawn = torch.zeros(len(boxes), *size, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(drawn, boxes.int().tolist(), strict=True):
        mask[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)] = 1
    picture = (drawn.amax(0) if len(boxes) else torch.zeros(size, dtype=torch.uint8)).expand(3, *size) * 200
    labels = torch.arange(len(boxes))
    return AnnotatedPicture(
        picture.clone(), boxes, labels, torch.zeros(len(boxes), dtype=torch.bool), drawn if masks else None
    )


def around(masks):
    """The smallest boxes around masks."""
    found = []
    for mask in masks:
        rows, columns = mask.nonzero(as_tuple=True)
        found.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    return torch.tensor(found, dtype=torch.float32)


def test_flipping_twice_is_nothing_and_once_moves_boxes_with_masks():
    once = flipped(sample())
    torch.testing.assert_close(once.boxes, around(once.masks))
    torch.testing.assert_close(once.boxes[0], torch.tensor([W - 20.0, 5, W - 3, 30]))
    assert torch.equal(once.picture, sample().picture.flip(-1))
    twice = flipped(once)
    assert torch.equal(twice.picture, sample().picture)
    assert torch.equal(twice.boxes, sample().boxes)


@pytest.mark.parametrize("size", [(74, 104), (111, 156), (50, 90), (19, 31), (37, 200)])
@pytest.mark.parametrize("antialias", [True, False])
def test_resizing_scales_boxes_exactly_and_masks_with_them(size, antialias):
    changed = resized(sample(), size, antialias=antialias)
    scale = torch.tensor([size[1] / W, size[0] / H] * 2)
    torch.testing.assert_close(changed.boxes, sample().boxes * scale)
    assert changed.picture.shape == (3, *size)
    assert changed.masks.shape == (3, *size)
    assert changed.masks.dtype == torch.uint8
    torch.testing.assert_close(around(changed.masks), changed.boxes, atol=0.51, rtol=0)  # half a pixel: nothing moves
    inside = changed.masks.amax(0).bool()
    assert changed.picture[0][inside].float().mean() > 150
    assert changed.picture[0][~inside].float().mean() < 50


def test_antialiasing_counts_where_pictures_are_made_smaller_only():
    noise = AnnotatedPicture(torch.randint(0, 256, (3, H, W), dtype=torch.uint8), *[sample([]).boxes] * 3)
    spread = {flag: resized(noise, (9, 13), antialias=flag).picture.float().std() for flag in (True, False)}
    assert spread[True] < 0.7 * spread[False]
    larger = [resized(noise, (80, 110), antialias=flag).picture for flag in (True, False)]
    assert (larger[0].int() - larger[1].int()).abs().max() <= 1


def test_cropping_clips_boxes_and_leaves_out_what_is_outside():
    part = cropped(sample(), top=4, left=10, height=26, width=25)  # x 10..35, y 4..30
    assert part.labels.tolist() == [0, 1]
    torch.testing.assert_close(part.boxes, torch.tensor([[0.0, 1, 10, 26], [15, 0, 25, 26]]))
    torch.testing.assert_close(part.boxes, around(part.masks))
    assert torch.equal(part.picture, sample().picture[:, 4:30, 10:35])
    assert cropped(sample(masks=False), top=4, left=10, height=26, width=25).masks is None


def test_an_object_of_which_only_the_corner_of_the_box_is_left_goes_with_its_mask():
    lower_left = sample([[10, 10, 30, 30]])
    lower_left.masks[0, :25, 20:] = 0  # an L
    assert len(cropped(lower_left, top=0, left=21, height=20, width=30).labels) == 0
    assert len(cropped(sample([[10, 10, 30, 30]]), top=0, left=21, height=20, width=30).labels) == 1


def test_boxes_without_area_in_the_picture_are_left_out():
    kept = without_empty(sample([[-5, -5, 10, 10], [52, 3, 60, 9], [4, 4, 4, 9], [50, 30, 90, 90]]))
    assert kept.labels.tolist() == [0, 3]
    torch.testing.assert_close(kept.boxes, torch.tensor([[0.0, 0, 10, 10], [50, 30, 52, 37]]))


def test_pictures_without_objects_pass():
    for masks in (True, False):
        empty = flipped(cropped(resized(sample([], masks=masks), (20, 30)), top=2, left=3, height=9, width=8))
        assert empty.boxes.shape == (0, 4)
        assert empty.size == (9, 8)
        assert empty.masks is None or empty.masks.shape == (0, 9, 8)


def test_some_are_chosen_by_flag_or_position():
    chosen = only(sample(), torch.tensor([2, 0]))
    assert chosen.labels.tolist() == [2, 0]
    assert torch.equal(chosen.masks, sample().masks[[2, 0]])
    assert only(sample(), torch.tensor([True, False, True])).labels.tolist() == [0, 2]
    assert type(chosen.boxes) is torch.Tensor


@pytest.mark.parametrize("size", [(74, 104), (19, 31), (40, 53), (36, 51), (37, 7)])
def test_masks_take_the_pixel_at_the_centre(size):
    noise = torch.rand(4, H, W, generator=torch.Generator().manual_seed(0)).gt(0.5).to(torch.uint8)
    changed = resized(AnnotatedPicture(sample().picture, *[sample().boxes] * 3, noise), size)
    expected = torch.nn.functional.interpolate(noise[None].float(), size=size, mode="nearest-exact")[0]
    assert torch.equal(changed.masks.float(), expected)
