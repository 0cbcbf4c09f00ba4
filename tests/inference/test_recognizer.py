"""The shared path from checkpoint to result: what overrides what, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import stvit_video
from stvit_video.data.decoding.request import DecodeError
from stvit_video.evaluation.view_average import NonFiniteLogitsError
from stvit_video.inference.model_input import model_input
from stvit_video.inference.recognizer import load_recognizer, make_output_dir
from stvit_video.inference.test_protocol import TestProtocol
from stvit_video.models import create_model

DENSE = {
    "num_classes": 3,
    "num_frames": 4,
    "image_size": 16,
    "patch_size": 4,
    "embed_dim": 8,
    "num_heads": 2,
    "depth": 4,
}


def test_the_protocol_is_the_checkpoints_unless_given(tiny_run: Any) -> None:
    stored = load_recognizer(tiny_run.checkpoint, device="cpu")
    assert stored.protocol == TestProtocol(num_clips=2, num_crops=3, average="prob")
    assert stored.classes == ("a, comma", "jump", "run")
    given = load_recognizer(tiny_run.checkpoint, device="cpu", num_clips=7, average="logit")
    assert given.protocol == TestProtocol(num_clips=7, num_crops=3, average="logit")
    assert (
        stored.protocol.describe(short_side=20)
        == "2 clips x 3 crops, softmax averaged, short side 20, protocol uniform"
    )


def test_a_named_protocol_counts_in_place_of_the_checkpoints(tiny_run: Any) -> None:
    named = load_recognizer(tiny_run.checkpoint, device="cpu", protocol="uniformer")
    assert named.protocol == TestProtocol(name="uniformer", num_clips=4, num_crops=1, average="logit")
    assert (named.preprocessing.short_side, named.preprocessing.crop_size) == (16, 16)  # 224 -> 224, as 16 -> 16
    assert (named.preprocessing.num_frames, named.preprocessing.frame_stride) == (4, 2)
    assert named.protocol.describe(short_side=16) == (
        "4 clips x 1 crop, logits averaged, short side 16, protocol uniformer"
    )
    changed = load_recognizer(
        tiny_run.checkpoint, device="cpu", protocol="mvit", num_clips=7, average="logit", frame_stride=3, short_side=40
    )
    assert (changed.preprocessing.frame_stride, changed.preprocessing.short_side) == (3, 40)
    assert changed.protocol.describe(short_side=40).endswith(
        "short side 40, protocol mvit (num_clips=7, not 5; average=logit, not prob)"
    )


def test_a_checkpoint_can_name_its_protocol(tiny_run: Any, tmp_path: Path) -> None:
    content = torch.load(tiny_run.checkpoint, weights_only=True)
    content["stvit_video"]["protocol"] = {"name": "mvit", "num_clips": 3, "num_crops": 1, "average": "prob"}
    torch.save(content, tmp_path / "named.ckpt")
    stored = load_recognizer(tmp_path / "named.ckpt", device="cpu")
    assert stored.protocol == TestProtocol(name="mvit", num_clips=3, num_crops=1, average="prob")
    assert (stored.preprocessing.short_side, stored.preprocessing.crop_size) == (18, 16)  # 256 -> 224, as 18.3 -> 16
    other = load_recognizer(tmp_path / "named.ckpt", device="cpu", protocol="single")
    assert (other.preprocessing.short_side, other.protocol.num_clips) == (20, 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"protocol": "best"}, "protocol='best' .*uniform, single"),
        ({"crop_size": 0}, "crop_size=0 .*at least 1"),
        ({"num_frames": "x"}, "num_frames='x' .*at least 1"),
        ({"crop_size": 21}, "crop_size=21 .*short_side=20"),
    ],
)
def test_what_load_recognizer_refuses(tiny_run: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_recognizer(tiny_run.checkpoint, device="cpu", **settings)


def test_output_folders(tmp_path: Path) -> None:
    made = make_output_dir(tmp_path / "a" / "b")
    assert made.is_dir()
    assert not list(made.iterdir())
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "out"):  # the whole sentence, once for its family
        with pytest.raises(
            ValueError,
            match=rf"^the output folder {path} can't be written \(.*\); give another one "
            r"\(.*hydra.run.dir=FOLDER; .*output_dir=FOLDER\)$",
        ):
            make_output_dir(path)


def test_another_number_of_tokens(tiny_run: Any, tmp_path: Path) -> None:
    assert load_recognizer(tiny_run.checkpoint, device="cpu").model.token_grid.count == 4
    assert load_recognizer(tiny_run.checkpoint, device="cpu", num_tokens=[1, 2, 4]).model.token_grid.sizes == (1, 2, 4)
    dense = create_model("video_deit_tiny", **DENSE)
    content = torch.load(tiny_run.checkpoint, weights_only=True)
    content["stvit_video"]["model"] = {"name": "video_deit_tiny", "options": DENSE}
    content["state_dict"] = {f"model.{key}": value for key, value in dense.state_dict().items()}
    torch.save(content, tmp_path / "dense.ckpt")
    with pytest.raises(ValueError, match="num_tokens=8 .*dense model"):
        load_recognizer(tmp_path / "dense.ckpt", device="cpu", num_tokens=8)


def test_a_video_is_labelled_as_by_the_model(tiny_run: Any) -> None:
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu")
    video = tiny_run.videos[1]
    views = model_input(recognizer, video).views
    with torch.no_grad():
        logits, features = tiny_run.model(views), tiny_run.model.forward_features(views)
        tokens = tiny_run.model.forward_tokens(views)
    np.testing.assert_allclose(recognizer.logits(video), logits.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(recognizer.features(video), features.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(recognizer.tokens(video), tokens.numpy(), rtol=1e-5, atol=1e-6)
    assert recognizer.tokens(video).shape == (6, 4, 8)
    told = recognizer(video, top_k=2, features=True)
    expected = logits.softmax(-1).mean(0)
    best = expected.argsort(descending=True)[:2]
    assert told.labels == tuple(recognizer.classes[i] for i in best)
    assert told.probabilities == pytest.approx(expected[best].tolist(), abs=1e-6)
    assert (told.file, told.error, told.seconds) == (video, None, pytest.approx(2.5))
    np.testing.assert_allclose(told.features, features.mean(0).numpy(), rtol=1e-5, atol=1e-6)
    assert recognizer(video).features is None


def test_a_list_is_told_in_order(tiny_run: Any, tmp_path: Path) -> None:
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu")
    absent = tmp_path / "absent.mp4"
    clip = np.random.default_rng(0).normal(size=(3, 4, 16, 16))
    told = recognizer([tiny_run.videos[2], clip, absent, str(tiny_run.videos[0])], num_workers=2)
    assert [one.file for one in told] == [tiny_run.videos[2], None, absent, tiny_run.videos[0]]
    assert [one.error is None for one in told] == [True, True, False, True]
    assert "absent.mp4" in told[2].error
    for number, given in ((0, tiny_run.videos[2]), (1, clip), (3, tiny_run.videos[0])):
        alone = recognizer(given)
        assert told[number].labels == alone.labels
        assert told[number].probabilities == pytest.approx(alone.probabilities, abs=1e-6)
    assert recognizer([]) == []
    assert [one.label for one in recognizer(iter(tiny_run.videos))] == [recognizer(v).label for v in tiny_run.videos]


def test_what_a_recognizer_refuses(tiny_run: Any, tmp_path: Path) -> None:
    recognizer = load_recognizer(tiny_run.checkpoint, device="cpu")
    with pytest.raises(DecodeError, match=r"absent\.mp4"):
        recognizer(tmp_path / "absent.mp4")
    with pytest.raises(ValueError, match="7 in a list .*paths, frames or clips"):
        recognizer([tiny_run.videos[0], 7])
    with pytest.raises(ValueError, match="top_k=0 .*at least 1"):
        recognizer(tiny_run.videos[0], top_k=0)
    with pytest.raises(ValueError, match="threshold=0.5 .*several labels"):
        recognizer(tiny_run.videos[0], threshold=0.5)
    torch.nn.init.constant_(recognizer.model.head.bias, float("nan"))
    with pytest.raises(NonFiniteLogitsError, match="c d.mp4"):
        recognizer(tiny_run.videos[1])


def test_the_form_of_a_recognizer_is_short(tiny_run: Any) -> None:
    shown = repr(load_recognizer(tiny_run.checkpoint, device="cpu"))
    assert shown.startswith("Recognizer(stvit_video_deit_tiny, 3 classes, 2 clips x 3 crops")
    assert len(shown) < 200


@pytest.mark.parametrize("path", [b"x.ckpt", None, 3])
def test_what_is_no_path_of_a_checkpoint(path: Any) -> None:
    with pytest.raises(ValueError, match="ckpt_path=.* is no path; .*ckpt"):
        load_recognizer(path)


def test_the_public_name(tiny_run: Any) -> None:
    recognizer = stvit_video.load(tiny_run.checkpoint, num_tokens=1, device="cpu", num_clips=1, num_crops=1)
    assert isinstance(recognizer, stvit_video.Recognizer)
    assert isinstance(recognizer(tiny_run.videos[0]), stvit_video.Prediction)
    assert recognizer.tokens(tiny_run.videos[0]).shape == (1, 1, 8)
