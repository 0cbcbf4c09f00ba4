import numpy as np
import pytest
import torch
from PIL import Image

from stvit_video.data.decoding.request import DecodeError
from stvit_video.detections.trained_detector import load_trained_detector
from stvit_video.models.checkpoints.state_dict import CheckpointError


@pytest.fixture(scope="module")
def detector(tiny_detector):
    return load_trained_detector(tiny_detector.checkpoint, device="cpu", score_threshold=0.001)


def test_a_file_is_answered_as_its_pixels_are(detector, tiny_detector):
    path = tiny_detector.pictures[0]
    pixels = np.asarray(Image.open(path).convert("RGB"))
    of_file, of_pixels = detector(path), detector(pixels)
    assert set(of_file) == {"boxes", "scores", "labels"}
    assert len(of_file["boxes"]) > 0
    for name, values in of_file.items():
        assert np.array_equal(values, of_pixels[name])
    assert (of_file["boxes"].dtype, of_file["scores"].dtype, of_file["labels"].dtype) == (np.float32, np.float32, int)
    assert np.all(np.diff(of_file["scores"]) <= 0)
    height, width = pixels.shape[:2]
    assert of_file["boxes"].min() >= 0
    assert np.all(of_file["boxes"] <= [width, height, width, height])


def test_a_batch_of_mixed_sizes_is_answered_as_each_alone(detector):
    noise = np.random.default_rng(0)
    pictures = [noise.integers(0, 256, size, dtype=np.uint8) for size in ((40, 70, 3), (90, 33, 3))]
    for one, alone in zip(detector.detect(pictures), map(detector, pictures), strict=True):
        assert np.array_equal(one["labels"], alone["labels"])
        np.testing.assert_allclose(one["boxes"], alone["boxes"], atol=1e-3)
    assert detector.detect([]) == []


def test_several_files_are_answered_as_each_alone(detector, tiny_detector):
    paths = tiny_detector.pictures[:2]
    for one, path in zip(detector.detect([paths[0], str(paths[1])]), paths, strict=True):
        np.testing.assert_allclose(one["boxes"], detector(path)["boxes"], atol=1e-3)


@pytest.mark.parametrize(
    ("given", "message"), [("a.png", "list of pictures is needed, got 'a.png'"), ([3], "path or .* got int")]
)
def test_what_is_no_picture_is_refused(detector, given, message):
    with pytest.raises(ValueError, match=message):
        detector.detect(given)


def test_settings_that_are_not_as_trained(tiny_detector):
    changed = load_trained_detector(tiny_detector.checkpoint, device="cpu", long_side=50, detections=2, nms_threshold=1)
    assert (changed.sizes.short_side, changed.sizes.long_side) == (48, 50)
    assert (changed.model.options.detections, changed.model.options.nms_threshold) == (2, 1)
    assert len(changed(np.zeros((20, 30, 3), dtype=np.uint8))["scores"]) <= 2
    with pytest.raises(ValueError, match="score_threshold=2"):
        load_trained_detector(tiny_detector.checkpoint, score_threshold=2)
    with pytest.raises(ValueError, match="short_side=60 .*long_side=50"):
        load_trained_detector(tiny_detector.checkpoint, short_side=60, long_side=50)


@pytest.mark.parametrize("shape", [(3, 20, 30), (20, 30), (20, 30, 4)])
def test_pixels_of_another_shape_are_refused(detector, shape):
    with pytest.raises(ValueError, match=r"\(H, W, 3\) uint8"):
        detector(np.zeros(shape, dtype=np.uint8))


def test_a_file_that_is_no_picture_is_refused(detector, tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    with pytest.raises(DecodeError):
        detector(tmp_path / "a.png")
    with pytest.raises(DecodeError, match=r"read the picture .*gone.png.: No such file"):
        detector(tmp_path / "gone.png")


def test_checkpoints_that_are_none_of_a_detector(tiny_run, tiny_detector, tmp_path):
    with pytest.raises(CheckpointError, match="best.ckpt' is of task=classification, .*task=detection or instance"):
        load_trained_detector(tiny_run.checkpoint)
    torch.save({"neck.a": torch.zeros(2)}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="does not say which model"):
        load_trained_detector(tmp_path / "weights.pth")
    content = torch.load(tiny_detector.checkpoint, weights_only=True)
    content["stvit_video"]["head"] = "yolo"
    torch.save(content, tmp_path / "other.ckpt")
    with pytest.raises(CheckpointError, match="can't be built: head='yolo' .*written by stvit_video"):
        load_trained_detector(tmp_path / "other.ckpt")
