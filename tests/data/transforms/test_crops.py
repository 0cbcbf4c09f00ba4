import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stvit_video.data.transforms.crops import crop_offsets, resized_size


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 300))
def test_resized_size_keeps_the_aspect(height, width, short_side):
    new_height, new_width = resized_size(height, width, short_side=short_side)
    assert min(new_height, new_width) == short_side
    assert (new_height <= new_width) == (height <= width) or new_height == new_width
    exact = max(height, width) * short_side / min(height, width)
    assert max(new_height, new_width) == int(np.floor(exact + 0.5))


def test_crops_lie_along_the_long_side():
    assert crop_offsets(7, 13, crop_size=5, num_crops=1) == [(1, 4)]
    assert crop_offsets(7, 13, crop_size=5, num_crops=3) == [(1, 0), (1, 4), (1, 8)]
    assert crop_offsets(13, 8, crop_size=5, num_crops=3) == [(0, 1), (4, 1), (8, 1)]
    assert crop_offsets(5, 5, crop_size=5, num_crops=3) == [(0, 0)] * 3
