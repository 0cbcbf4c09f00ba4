import numpy as np
import pytest
import torch
from PIL import Image

from stvit_video.data.decoding.request import DecodeError
from stvit_video.models.checkpoints.state_dict import CheckpointError
from stvit_video.segmentations.trained_segmenter import load_trained_segmenter


@pytest.fixture(scope="module")
def segmenter(tiny_segmenter):
    return load_trained_segmenter(tiny_segmenter.checkpoint, device="cpu")


def noise(*size):
    return np.random.default_rng(sum(size)).integers(0, 256, (*size, 3), dtype=np.uint8)


def test_a_file_is_answered_as_its_pixels_are(segmenter, tmp_path):
    Image.fromarray(noise(41, 67)).save(tmp_path / "a.png")
    of_file, of_pixels = segmenter(tmp_path / "a.png"), segmenter(noise(41, 67))
    assert {name: (values.shape, values.dtype) for name, values in of_file.items()} == {
        "labels": ((41, 67), np.uint8),
        "scores": ((41, 67), np.float32),
    }
    for name, values in of_file.items():
        assert np.array_equal(values, of_pixels[name])
    assert of_file["labels"].max() < len(segmenter.classes)
    assert of_file["scores"].min() >= 1 / len(segmenter.classes) - 1e-6
    assert of_file["scores"].max() <= 1


def test_a_batch_of_mixed_sizes_is_answered_as_each_alone(segmenter):
    pictures = [noise(40, 70), noise(90, 33), noise(20, 20)]
    for one, alone in zip(segmenter.segment(pictures), map(segmenter, pictures), strict=True):
        assert np.array_equal(one["labels"], alone["labels"])
        np.testing.assert_allclose(one["scores"], alone["scores"], atol=1e-5)
    assert segmenter.segment([]) == []


def test_the_labels_are_those_of_the_model_by_hand(segmenter):
    """A picture of the size that the model sees, so that nothing is resized."""
    pixels = noise(64, 64)
    mean, std = (torch.tensor(values)[:, None, None] for values in (segmenter.sizes.mean, segmenter.sizes.std))
    given = ((torch.from_numpy(pixels).permute(2, 0, 1) / 255 - mean) / std)[None]
    with torch.no_grad():
        logits = segmenter.model.outputs(given, [(64, 64)])["logits"]
    whole = torch.nn.functional.interpolate(logits, size=(64, 64), mode="bilinear", align_corners=False)[0]
    found = segmenter(pixels)
    scores = whole.softmax(dim=0)
    assert np.array_equal(found["labels"], scores.argmax(dim=0).numpy())
    np.testing.assert_allclose(found["scores"], scores.amax(dim=0).numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("given", "message"), [("a.png", "list of pictures is needed, got 'a.png'"), ([3], "path or .* got int")]
)
def test_what_is_no_picture_is_refused(segmenter, given, message):
    with pytest.raises(ValueError, match=message):
        segmenter.segment(given)


def test_settings_that_are_not_as_trained(tiny_segmenter):
    load = load_trained_segmenter
    changed = load(tiny_segmenter.checkpoint, device="cpu", short_side=40, long_side=50, window=32, window_stride=20)
    assert (changed.sizes.short_side, changed.sizes.long_side) == (40, 50)
    assert (changed.model.options.window, changed.model.options.window_stride) == (32, 20)
    assert changed(noise(70, 50))["labels"].shape == (70, 50)
    with pytest.raises(ValueError, match="window=8 "):
        load(tiny_segmenter.checkpoint, window=8)
    with pytest.raises(ValueError, match="window_stride=20 needs a window"):
        load(tiny_segmenter.checkpoint, window_stride=20)
    with pytest.raises(ValueError, match="short_side=60 .*long_side=50"):
        load(tiny_segmenter.checkpoint, short_side=60, long_side=50)


def test_a_checkpoint_with_windows_can_look_at_whole_pictures(segmenter, tiny_segmenter, tmp_path):
    content = torch.load(tiny_segmenter.checkpoint, weights_only=True)
    content["stvit_video"]["head_options"] |= {"window": 32, "window_stride": 20}
    torch.save(content, tmp_path / "windows.ckpt")
    in_windows = load_trained_segmenter(tmp_path / "windows.ckpt", device="cpu")
    assert (in_windows.model.options.window, in_windows.model.options.window_stride) == (32, 20)
    whole = load_trained_segmenter(tmp_path / "windows.ckpt", device="cpu", window=0)
    assert whole.model.options.window is None
    pixels = noise(70, 50)
    assert np.array_equal(whole(pixels)["scores"], segmenter(pixels)["scores"])
    assert not np.array_equal(in_windows(pixels)["scores"], segmenter(pixels)["scores"])
    with pytest.raises(ValueError, match="window_stride=8 needs a window"):
        load_trained_segmenter(tmp_path / "windows.ckpt", window=0, window_stride=8)


def test_a_file_that_is_no_picture_is_refused(segmenter, tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(DecodeError):
        segmenter(tmp_path / "a.png")


def test_checkpoints_that_are_none_of_a_segmenter(tiny_detector, tiny_segmenter, tmp_path):
    with pytest.raises(CheckpointError, match="best.ckpt' is of task=detection, .*task=semantic"):
        load_trained_segmenter(tiny_detector.checkpoint)
    content = torch.load(tiny_segmenter.checkpoint, weights_only=True)
    content["stvit_video"]["head"] = "deeplab"
    torch.save(content, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="can't be built: head='deeplab' .*written by stvit_video"):
        load_trained_segmenter(tmp_path / "other.ckpt")
