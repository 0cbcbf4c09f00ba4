import pytest
import torch
from drawn_maps import mean_of_windows

from stvit_video.dense.sliding_windows import slide, window_starts


@pytest.mark.parametrize(
    ("side", "window", "stride", "starts"),
    [
        (100, 40, 20, [0, 20, 40, 60]),
        (101, 40, 20, [0, 20, 40, 60, 61]),
        (119, 40, 20, [0, 20, 40, 60, 79]),
        (40, 40, 20, [0]),
        (39, 40, 20, [0]),
        (41, 40, 40, [0, 1]),
        (683, 512, 341, [0, 171]),
    ],
)
def test_starts_by_hand(side, window, stride, starts):
    assert window_starts(side, window=window, stride=stride) == starts


def of_window(windows):
    """Answers that depend on the whole window and on the place within it, as those of a network do."""
    height, width = windows.shape[-2:]
    ramp = torch.linspace(0, 1, height)[:, None] * torch.linspace(1, 2, width)
    return torch.cat([windows, windows.mean((1, 2, 3), keepdim=True) * ramp], dim=1)


@pytest.mark.parametrize("together", [1, 3, 50])
@pytest.mark.parametrize(
    ("size", "window", "stride"), [((23, 31), 9, 5), ((9, 31), 9, 9), ((7, 20), 11, 4), ((5, 6), 11, 3)]
)
def test_the_mean_of_overlapping_windows(size, window, stride, together):
    picture = torch.randn(3, *size, generator=torch.Generator().manual_seed(0))
    found = slide(picture, of_window, window=window, stride=stride, together=together)
    torch.testing.assert_close(found, mean_of_windows(picture, of_window, window=window, stride=stride))
