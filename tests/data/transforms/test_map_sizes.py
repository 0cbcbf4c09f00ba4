import pytest

from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.data.transforms.picture_sizes import PictureSizes


@pytest.mark.parametrize(
    ("size", "divisor", "expected"),
    [
        ((375, 500), 32, (512, 704)),  # 512 x 682.67, and up
        ((375, 500), 1, (512, 683)),
        ((500, 375), 32, (704, 512)),
        ((100, 900), 32, (256, 2048)),  # the long side limits: 227.6 x 2048
        ((64, 64), 32, (512, 512)),
        ((375, 500), 7, (518, 686)),
    ],
)
def test_sizes_by_hand(size, divisor, expected):
    assert MapSizes(divisor=divisor).size_of(*size) == expected


def test_plain_values_come_back_and_others_are_refused():
    sizes = MapSizes(short_side=96, long_side=200, divisor=16, antialias=False, mean=(0.1, 0.2, 0.3))
    assert MapSizes.from_dict(sizes.to_dict()) == sizes
    with pytest.raises(ValueError, match="divisor"):
        MapSizes.from_dict(PictureSizes().to_dict())
    with pytest.raises(ValueError, match="divisor"):
        PictureSizes.from_dict(sizes.to_dict())


@pytest.mark.parametrize("wrong", [{"divisor": 0}, {"short_side": 3000}, {"std": (0, 1, 1)}])
def test_values_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MapSizes(**wrong)
