import pytest

from stvit_video.data.transforms.picture_sizes import PictureSizes, padded_size, scaled_size


@pytest.mark.parametrize(
    ("size", "short_side", "long_side", "expected"),
    [
        ((480, 640), 800, 1333, (800, 1067)),  # 1066.67: rounded up, torchvision's detectors have 1066
        ((640, 480), 800, 1333, (1067, 800)),
        ((427, 640), 800, 1333, (800, 1199)),
        ((375, 500), 800, 1333, (800, 1067)),
        ((300, 1000), 800, 1333, (400, 1333)),  # the long side is the limit
        ((1000, 20), 800, 1333, (1333, 27)),
        ((100, 3), 10, 20, (20, 1)),
        ((2000, 2), 10, 100, (100, 1)),  # never 0
        ((50, 50), 50, 60, (50, 50)),
    ],
)
def test_sizes_by_hand(size, short_side, long_side, expected):
    assert scaled_size(*size, short_side=short_side, long_side=long_side) == expected
    assert PictureSizes(short_side=short_side, long_side=long_side).size_of(*size) == expected


def test_a_batch_is_as_large_as_its_largest_sides_in_whole_32s():
    assert padded_size([(33, 64), (20, 65)]) == (64, 96)
    assert padded_size([(32, 96)]) == (32, 96)
    assert padded_size([(7, 9)], divisor=5) == (10, 10)


def test_sizes_go_into_a_checkpoint_and_back():
    sizes = PictureSizes(short_side=240, long_side=400, antialias=False, mean=(0.1, 0.2, 0.3), std=(1, 2, 3))
    assert PictureSizes.from_dict(sizes.to_dict()) == sizes
    with pytest.raises(ValueError, match="long_side"):
        PictureSizes.from_dict({"short_side": 3})


def test_values_out_of_range_are_named():
    with pytest.raises(ValueError, match="short_side=800 must be from 1 to long_side=799"):
        PictureSizes(short_side=800, long_side=799)
    with pytest.raises(ValueError, match="short_side=0"):
        PictureSizes(short_side=0)
    with pytest.raises(ValueError, match="std above 0"):
        PictureSizes(std=(1, 1, 0))
