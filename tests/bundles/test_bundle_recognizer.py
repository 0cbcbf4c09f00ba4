"""A bundle labels videos as the checkpoint does that it is made of, and is refused where its graph does not."""

import sys

import numpy as np
import pytest
import torch
from linear_bundle import CLASSES, MEAN_AND_STD, SIZES, linear_weights, onnxruntime_stand_in, write_linear_bundle
from torch import nn

import stvit_video
from stvit_video.bundles.bundle_folder import BundleError
from stvit_video.bundles.bundle_recognizer import BundleRecognizer, load_bundle
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.recognizer import Recognizer


@pytest.fixture(autouse=True)
def runtime(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", onnxruntime_stand_in())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_linear_bundle(tmp_path_factory.mktemp("recognizer") / "b")


@pytest.fixture
def recognizer(folder):
    return load_bundle(folder)


class Linear(nn.Module):
    """What the graph computes, on clips in 0..1."""

    def forward(self, clip):
        return self.forward_head(self.forward_features(clip))

    def forward_features(self, clip):
        return clip.permute(0, 2, 3, 4, 1).flatten(1)

    def forward_head(self, features):
        return features @ torch.from_numpy(linear_weights())


def by_torch(bundle: BundleRecognizer) -> Recognizer:
    return Recognizer(
        model=Linear(),
        classes=CLASSES,
        preprocessing=bundle.preprocessing,
        protocol=bundle.protocol,
        device=torch.device("cpu"),
        config={},
        model_name="linear",
        multi_label=bundle.multi_label,
    )


def same(ours, theirs):
    assert (ours.file, ours.labels, ours.error) == (theirs.file, theirs.labels, theirs.error)
    np.testing.assert_allclose(ours.probabilities, theirs.probabilities, rtol=1e-4, atol=1e-5)
    assert ours.seconds == pytest.approx(theirs.seconds)


@pytest.mark.parametrize(
    "choice",
    [{}, {"average": "logit", "num_crops": 1}, {"protocol": "videoswin", "num_clips": 2}, {"short_side": 23}],
)
def test_a_file_and_frames_get_the_labels_of_the_checkpoint(folder, tiny_run, choice):
    ours = load_bundle(folder, **choice)
    theirs = by_torch(ours)
    same(ours(tiny_run.videos[0]), theirs(tiny_run.videos[0]))
    frames = np.random.default_rng(4).integers(0, 256, (9, 25, 31, 3), dtype=np.uint8)
    same(ours(frames, fps=12.0, top_k=2), theirs(frames, fps=12.0, top_k=2))
    np.testing.assert_allclose(ours.logits(frames), theirs.logits(frames), rtol=1e-4, atol=1e-4)


def test_several_labels_a_video(tmp_path, tiny_run):
    ours = load_bundle(write_linear_bundle(tmp_path / "b", multi_label=True))
    theirs = by_torch(ours)
    same(ours(tiny_run.videos[1], threshold=0.4), theirs(tiny_run.videos[1], threshold=0.4))


def test_a_list_is_told_in_its_order_with_what_can_not_be_read(recognizer, tiny_run, tmp_path):
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    frames = np.zeros((5, 20, 30, 3), dtype=np.uint8)
    listing = [tiny_run.videos[1], tmp_path / "bad.mp4", frames, str(tiny_run.videos[0])]
    told = recognizer(listing, num_workers=2, batch_size=3)
    assert "bad.mp4" in told.pop(1).error
    same(told[0], recognizer(listing[0]))
    same(told[1], recognizer(frames))
    assert told[2].labels == recognizer(listing[3]).labels
    assert recognizer([]) == []


def test_load_finds_out_that_a_folder_is_a_bundle(folder):
    found = stvit_video.load(folder, num_clips=1, num_threads=2)
    assert type(found) is BundleRecognizer is stvit_video.BundleRecognizer
    assert (found.classes, found.multi_label, found.protocol.num_clips) == (CLASSES, False, 1)
    assert found.preprocessing == Preprocessing(**SIZES, **MEAN_AND_STD)
    assert repr(found) == (
        "BundleRecognizer(stvit_video_deit_tiny, onnx in fp32, 3 classes, 1 clip x 3 crops, softmax averaged, "
        "short side 20, protocol uniform, onnxruntime 9.8.7)"
    )
    with pytest.raises(ValueError, match="num_tokens=8 .*again with num_tokens=8"):
        stvit_video.load(folder, num_tokens=8)
    with pytest.raises(ValueError, match="top: no setting for a bundle; it takes num_threads, check, protocol"):
        stvit_video.load(str(folder), top=8)
    with pytest.raises(ValueError, match="device=cuda .*CPU"):
        stvit_video.load(folder, device="cuda")


def test_a_graph_that_does_not_give_the_golden_answer_is_refused(tmp_path):
    folder = write_linear_bundle(tmp_path / "b", is_right=False)
    with pytest.raises(BundleError, match=r"b is not met: onnxruntime 9.8.7 is off by 0.25, allowed is 0.001; export "):
        load_bundle(folder)
    assert load_bundle(folder, check=False).classes == CLASSES


def test_a_bundle_for_streams_labels_no_videos(tmp_path):
    folder = write_linear_bundle(
        tmp_path / "b", graphs={"encode": "clip.onnx", "decide": "clip.onnx"}, frames_per_step=1
    )
    with pytest.raises(BundleError, match="for streams, .*encode, decide; .*streaming=false"):
        load_bundle(folder)


def test_errors_of_a_single_video(recognizer, tiny_run, tmp_path):
    with pytest.raises(DecodeError, match="gone.mp4"):
        recognizer(tmp_path / "gone.mp4")
    broken = BundleRecognizer(
        bundle=recognizer.bundle,
        graph=lambda frames: np.full((len(frames), 3), np.nan, dtype=np.float32),
        preprocessing=recognizer.preprocessing,
        protocol=recognizer.protocol,
    )
    frames = np.zeros((4, 20, 30, 3), dtype=np.uint8)
    with pytest.raises(NonFiniteLogitsError, match="NaN or infinite logits for what was given"):
        broken(frames)
    (told,) = broken([tiny_run.videos[0]])
    assert told.error.startswith("the model gives NaN or infinite logits for ")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"num_workers": -1}, "num_workers=-1 .*at least 0"),
        ({"batch_size": 0}, "batch_size=0 .*at least 1"),
        ({"top_k": 0}, "top_k=0 .*at least 1"),
        ({"threshold": 0.5}, "threshold=0.5 .*one each; .*top_k"),
        ({"time_limit_seconds": 0}, "time_limit_seconds=0 .*positive"),
    ],
)
def test_wrong_settings_are_told_at_once(recognizer, settings, words):
    with pytest.raises(ValueError, match=words):
        recognizer(["a.mp4"], **settings)
    with pytest.raises(ValueError, match="num_threads=0 .*at least 1"):
        load_bundle(recognizer.bundle.folder, num_threads=0)


def test_what_a_checkpoint_has_and_a_graph_has_not_is_a_sentence(recognizer, folder):
    frames = np.zeros((8, 20, 24, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="features=True .*logits alone: use the checkpoint in place of the bundle$"):
        recognizer(frames, features=True)
    for table in ({}, {"video": frames}):
        for one in (recognizer, by_torch(recognizer)):
            with pytest.raises(ValueError, match="of type dict.* is no input; give the path of a video"):
                one(table)
    assert load_bundle(folder, num_tokens=4).bundle.num_tokens == 4
    with pytest.raises(ValueError, match="num_tokens=8 .*graph has num_tokens=4"):
        load_bundle(folder, num_tokens=8)
