from math import inf, nan

import pytest

from stvit_video.utils.ranges import require_positive, require_rate


def test_counts_from_one_on_are_allowed():
    require_positive(num_clips=1, num_frames=7)
    with pytest.raises(ValueError, match="num_frames=0 must be at least 1"):
        require_positive(num_clips=1, num_frames=0)


@pytest.mark.parametrize("rate", [0.0, -1.0, inf, nan])
def test_rates_are_finite_and_above_zero(rate):
    require_rate("fps", 0.5)
    with pytest.raises(ValueError, match=f"fps={rate} must be a finite number above 0"):
        require_rate("fps", rate)
