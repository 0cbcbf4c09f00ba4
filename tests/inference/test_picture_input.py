import numpy as np
import pytest
import torch
from PIL import Image

from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.data.transforms.picture_sizes import PictureSizes
from stvit_video.inference.picture_input import picture_batch

CPU = torch.device("cpu")


def pixels(*size):
    return np.random.default_rng(sum(size)).integers(0, 256, (*size, 3), dtype=np.uint8)


def test_pictures_of_any_sizes_are_one_batch():
    sizes = PictureSizes(short_side=20, long_side=40, mean=(0.5, 0.25, 0.125), std=(1, 2, 4))
    batch = picture_batch([pixels(40, 60), pixels(10, 40), pixels(20, 33)], sizes, device=CPU)
    assert batch.sizes == [(20, 30), (10, 40), (20, 33)]
    assert batch.original_sizes == [(40, 60), (10, 40), (20, 33)]
    assert batch.pictures.shape == (3, 3, 32, 64)
    same = torch.from_numpy(pixels(20, 33)).permute(2, 0, 1) / 255  # as large as it is wanted
    expected = (same - torch.tensor([0.5, 0.25, 0.125])[:, None, None]) / torch.tensor([1.0, 2, 4])[:, None, None]
    assert torch.allclose(batch.pictures[2, :, :20, :33], expected, atol=1e-6)
    assert not batch.pictures[2, :, 20:].any()
    assert not batch.pictures[2, :, :, 33:].any()


def test_sizes_of_maps_and_paths(tmp_path):
    Image.fromarray(pixels(40, 60)).save(tmp_path / "a.png")
    sizes = MapSizes(short_side=20, long_side=40)
    of_file, of_pixels = (picture_batch([one], sizes, device=CPU) for one in (tmp_path / "a.png", pixels(40, 60)))
    assert of_file.sizes == [(32, 32)]
    assert torch.equal(of_file.pictures, of_pixels.pictures)


def test_a_path_in_place_of_a_list_is_told():
    with pytest.raises(ValueError, match="list of pictures is needed, got 'a.png'; put it into a list"):
        picture_batch("a.png", PictureSizes(), device=CPU)
