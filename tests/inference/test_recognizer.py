"""The shared path from checkpoint to result: what overrides what, and what is refused."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from stvit_video.data.layouts.csv_list import read_csv_manifest
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.inference.recognizer import choose_device, load_recognizer, make_output_dir
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


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(ValueError, match=r"device='gpu' .*auto, cpu, cuda or cuda:<n>"):
        choose_device("gpu")


def test_lists_and_checkpoints_are_of_one_kind(tiny_run: Any) -> None:
    one = load_recognizer(tiny_run.checkpoint, device="cpu")
    several = dataclasses.replace(one, multi_label=True, config={"data": {"label_separator": ";"}})
    assert (one.label_separator, several.label_separator) == ("|", ";")
    single_list = read_csv_manifest(tiny_run.manifest, classes=one.classes)
    several_list = read_csv_manifest(tiny_run.manifest, classes=one.classes, label_separator=";")
    one.require_labels_of(single_list)
    several.require_labels_of(several_list)
    message = (  # the whole sentence, once for its family
        "^the checkpoint was trained on several labels a video and the list gives one each; "
        "use a CSV, which is then read with label_separator=';'$"
    )
    with pytest.raises(ManifestError, match=message):
        several.require_labels_of(single_list)
    with pytest.raises(ManifestError, match="list .*several labels a video .*one each; .*label_separator"):
        one.require_labels_of(several_list)


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
