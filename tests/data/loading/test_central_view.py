import numpy as np
import torch
from PIL import Image

from stvit_video.data.loading.central_view import central_view
from stvit_video.data.transforms.preprocessing import Preprocessing

SIZES = Preprocessing(num_frames=3, frame_stride=1, short_side=12, crop_size=10)


def test_the_centre_of_the_resized_frames_as_pillow_resizes_them():
    frames = np.random.default_rng(0).integers(0, 256, (2, 24, 36, 3), dtype=np.uint8)
    frames = np.repeat(np.repeat(frames[:, ::6, ::6], 6, axis=1), 6, axis=2)  # smooth enough for both
    found = central_view(torch.from_numpy(frames), SIZES)
    assert found.shape == (2, 3, 10, 10)
    for number, frame in enumerate(frames):
        resized = Image.fromarray(frame).resize((18, 12), Image.Resampling.BILINEAR)
        expected = np.asarray(resized)[1:11, 4:14]
        assert np.abs(found[number].permute(1, 2, 0).numpy().astype(int) - expected).max() <= 1


def test_another_place_of_the_crop():
    frames = torch.arange(12 * 20, dtype=torch.uint8).reshape(1, 12, 20, 1).expand(1, 12, 20, 3)
    found = central_view(frames, SIZES, lambda height, width, *, crop_size, num_crops: [(2, width - crop_size)])
    torch.testing.assert_close(found[0, 0], frames[0, 2:12, 10:20, 0])
