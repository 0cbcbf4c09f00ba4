import numpy as np
import pytest
import torch

from stvit_video.streaming.step_models import require_bytes, require_stride


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_bytes_of_any_size_and_number_pass(kind):
    for num_frames in (0, 1, 3):
        require_bytes(kind(np.zeros((num_frames, 5, 7, 3), dtype=np.uint8)), otherwise="nothing else")


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((2, 5, 7, 3), dtype=np.float32),
        np.zeros((2, 5, 7, 3), dtype=np.int64),
        np.zeros((2, 5, 7, 4), dtype=np.uint8),
        np.zeros((3, 2, 5, 7), dtype=np.uint8),
        np.zeros((5, 7, 3), dtype=np.uint8),
        np.zeros((2, 0, 7, 3), dtype=np.uint8),
    ],
)
def test_what_is_no_bytes(frames):
    way = r"; push frame\[None\]" if frames.ndim == 3 else ""
    said = rf"type {frames.dtype} and shape \({frames.shape[0]}, .* \(n, H, W, 3\) uint8 RGB, nothing else{way}$"
    with pytest.raises(ValueError, match=said):
        require_bytes(frames, otherwise="nothing else")


def test_a_stride_is_a_multiple_of_a_step():
    assert [require_stride(stride, frames_per_step=3) for stride in (3, 6, 27)] == [3, 6, 27]
    with pytest.raises(ValueError, match=r"stride_frames=4 is no multiple of the 3 frames of a tubelet.*; use 6$"):
        require_stride(4, frames_per_step=3)
    for wrong in (0, -3, 3.0, True, None, "3"):
        with pytest.raises(ValueError, match=r"stride_frames=.* must be a whole number, at least 1"):
            require_stride(wrong, frames_per_step=3)
