import numpy as np
import pytest
import torch

from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.data.transforms.mapped_ops import MappedPicture
from stvit_video.data.transforms.segmentation_transform import SegmentationTransform

SIZES = MapSizes(short_side=40, long_side=90)


def sample_of(labels):
    """A picture whose red is its labels, so that both can be compared."""
    labels = torch.as_tensor(labels, dtype=torch.uint8)
    return MappedPicture(torch.stack([labels, labels // 2, 255 - labels]), labels)


def blocks(height=60, width=90, side=10):
    """Squares of labels from 0 to 3."""
    rows, columns = np.arange(height)[:, None] // side, np.arange(width) // side
    return sample_of((rows * 2 + columns) % 4)


def drawn(transform, sample, count=40):
    return [transform(sample, generator=torch.Generator().manual_seed(seed)) for seed in range(count)]


def test_without_changes_the_picture_has_the_size_of_the_test_with_its_shape():
    transform = SegmentationTransform(sizes=SIZES, crop_size=200, flip_probability=0.0)
    assert transform(blocks(), generator=torch.Generator()).size == (40, 60)  # and not 64 x 64
    assert transform(blocks(30, 120), generator=torch.Generator()).size == (23, 90)


def test_both_sides_are_scaled_by_one_factor():
    transform = SegmentationTransform(sizes=SIZES, crop_size=500, scale_range=(0.5, 2.0))
    heights = [found.size[0] for found in drawn(transform, blocks(), 200)]
    assert min(heights) in range(20, 24)
    assert max(heights) in range(76, 80)
    assert 45 < np.mean(heights) < 55  # uniform from 20 to 80
    assert all(abs(found.size[1] / found.size[0] - 1.5) < 0.05 for found in drawn(transform, blocks()))


def test_crops_are_squares_at_any_place_and_labels_go_with_their_pixels():
    sizes = MapSizes(short_side=60, long_side=200)
    transform = SegmentationTransform(sizes=sizes, crop_size=32, flip_probability=0.5)
    sample = sample_of(np.arange(60)[:, None] + np.arange(90) % 7 * 30)
    seen = set()
    for found in drawn(transform, sample, 300):
        assert found.size == (32, 32)
        torch.testing.assert_close(found.picture[0], found.labels)
        seen.add(int(found.labels.min() % 30))
    assert len(seen) > 20
    small = SegmentationTransform(sizes=sizes, crop_size=70)(sample, generator=torch.Generator())
    assert small.size == (60, 70)


def by_the_definition(sample, *, side, share, generator):
    """mmsegmentation's RandomCrop with cat_max_ratio, written from its definition."""

    def box():
        top = int(torch.randint(max(sample.size[0] - side, 0) + 1, (), generator=generator))
        left = int(torch.randint(max(sample.size[1] - side, 0) + 1, (), generator=generator))
        return slice(top, top + side), slice(left, left + side)

    place = box()
    for _ in range(10):
        labels, counts = np.unique(sample.labels[place].numpy(), return_counts=True)
        counts = counts[labels != 255]
        if len(counts) > 1 and counts.max() / counts.sum() < share:
            break
        place = box()
    return sample.labels[place]


@pytest.mark.parametrize("share", [0.75, 0.4, 0.05])
def test_crops_of_one_class_are_drawn_again_as_in_the_definition(share):
    labels = np.zeros((60, 90), dtype=int)
    labels[40:, 50:] = 1
    labels[:9, :20] = 255
    sample = sample_of(labels)
    settings = {"sizes": MapSizes(short_side=60, long_side=200), "crop_size": 21, "flip_probability": 0.0}
    transform = SegmentationTransform(**settings, max_class_share=share)
    for seed in range(60):
        found = transform(sample, generator=torch.Generator().manual_seed(seed))
        generator = torch.Generator().manual_seed(seed)
        torch.rand(2, generator=generator)
        torch.testing.assert_close(found.labels, by_the_definition(sample, side=21, share=share, generator=generator))
    free = SegmentationTransform(**settings)
    varied = [len(found.labels.unique()) > 1 for found in drawn(free, sample, 100)]
    if share == 0.75:
        held = [len(found.labels.unique()) > 1 for found in drawn(transform, sample, 100)]
        assert sum(held) > sum(varied) + 25


def test_changes_follow_from_the_generator_and_colours_leave_labels_alone():
    settings = {"sizes": SIZES, "crop_size": 30, "scale_range": (0.5, 2.0), "max_class_share": 0.75}
    coloured = SegmentationTransform(**settings, photometric_probability=1.0)
    plain = SegmentationTransform(**settings)
    one, other = (coloured(blocks(), generator=torch.Generator().manual_seed(4)) for _ in range(2))
    torch.testing.assert_close(one.picture, other.picture)
    expected = plain(blocks(), generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(one.labels, expected.labels)
    assert not torch.equal(one.picture, expected.picture)


def test_a_map_without_counted_pixels_is_no_endless_search():
    sample = sample_of(np.full((60, 90), 255))
    found = SegmentationTransform(sizes=SIZES, crop_size=30, max_class_share=0.5)(sample, generator=torch.Generator())
    assert found.labels.unique().tolist() == [255]


@pytest.mark.parametrize(
    "wrong",
    [
        {"flip_probability": 1.5},
        {"photometric_probability": -0.1},
        {"max_class_share": 0.0},
        {"crop_size": 0},
        {"scale_range": (2.0, 0.5)},
    ],
)
def test_values_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}="):
        SegmentationTransform(**({"sizes": SIZES, "crop_size": 30} | wrong))


def test_frames_of_a_clip_are_changed_by_the_draws_of_the_first():
    transform = SegmentationTransform(
        sizes=MapSizes(short_side=40, long_side=90),
        crop_size=24,
        scale_range=(0.8, 1.3),
        max_class_share=0.8,
        photometric_probability=0.6,
    )
    rows, columns = torch.meshgrid(torch.arange(50), torch.arange(70), indexing="ij")
    picture = torch.stack([rows * 5, columns * 3, rows + columns]).to(torch.uint8)
    halves = (columns > 40).to(torch.uint8)
    places = set()
    for seed in range(12):
        generator = torch.Generator().manual_seed(seed)
        samples = [MappedPicture(picture, halves), MappedPicture(picture, torch.zeros_like(halves)),
                   MappedPicture(picture, rows.to(torch.uint8))]  # fmt: skip
        first, second, third = transform.alike(samples, generator=generator)
        assert torch.equal(first.picture, second.picture)
        assert torch.equal(first.picture, third.picture)
        assert not second.labels.any()
        assert first.labels.shape == third.labels.shape == (24, 24)
        alone = transform(samples[0], generator=torch.Generator().manual_seed(seed))
        assert torch.equal(alone.picture, first.picture)
        assert torch.equal(alone.labels, first.labels)
        places.add((int(third.labels[0, 0]), first.picture.float().mean().item()))
    assert len(places) == 12
