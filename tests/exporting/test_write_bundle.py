"""A bundle is whole and answers as the checkpoint, or there is none."""

import errno
import shutil
import sys
from types import ModuleType

import numpy as np
import pytest
import torch

from stvit_video.bundles.bundle_folder import read_bundle
from stvit_video.bundles.runtimes import open_graph
from stvit_video.exporting import write_bundle as module
from stvit_video.exporting.parity import ParityError
from stvit_video.exporting.write_bundle import folder_bytes, write_bundle
from stvit_video.inference.recognizer import load_recognizer
from stvit_video.models import create_model
from stvit_video.models.checkpoints.grids import position_grid
from stvit_video.models.checkpoints.metadata import checkpoint_metadata
from stvit_video.utils.atomic_files import DiskFullError
from stvit_video.utils.optional import MissingLibraryError

FILES = {"bundle.json", "card.md", "clip.pt2", "golden.npz", "labels.txt", "preprocessing.json"}


@pytest.fixture(scope="module")
def bundle(tiny_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("bundles") / "out"
    return write_bundle(tiny_run.checkpoint, format="torch_export", num_tokens=2, out=out, speed=False)


def test_it_is_read_as_the_checkpoint_says(bundle, tiny_run):
    assert {path.name for path in bundle.iterdir()} == FILES
    assert list(bundle.parent.iterdir()) == [bundle]
    found, trained = read_bundle(bundle), load_recognizer(tiny_run.checkpoint, device="cpu")
    assert (found.labels, found.preprocessing) == (trained.classes, trained.preprocessing)
    assert found.protocol == {"name": "uniform", "num_clips": 2, "num_crops": 3, "average": "prob"}
    assert (found.num_tokens, found.generate_at, found.multi_label) == (2, 1, False)
    assert found.model_options["embed_dim"] == 8
    assert folder_bytes(bundle, "clip") == (bundle / "clip.pt2").stat().st_size < folder_bytes(bundle)
    assert "the graph makes 2 semantic tokens" in (bundle / "card.md").read_text()


def test_its_answers_are_those_of_the_model(bundle, tiny_run):
    found = read_bundle(bundle)
    golden = found.golden()
    model = create_model("stvit_video_deit_tiny", **found.model_options)
    model.load_state_dict(tiny_run.model.state_dict())
    model.eval().set_num_tokens(2)
    clips = torch.from_numpy((golden.frames / 255 - 0.5) / 0.25).float().permute(0, 4, 1, 2, 3)  # (B, 3, T, H, W)
    with torch.no_grad():
        expected = model(clips).numpy()
    np.testing.assert_allclose(golden.logits, expected, atol=1e-5)
    assert golden.tolerance == pytest.approx(1e-3)
    graph = open_graph(found.graph_paths["clip"], format=found.format)
    three = graph(golden.frames[[1, 0, 1]])
    np.testing.assert_allclose(three, expected[[1, 0, 1]], atol=1e-5)


class Stub:
    """What stands in for tracing: a file of a few bytes, and a graph that computes what it was made of."""

    runtime = "a runtime 1.2"

    def __init__(self, monkeypatch, *, off=0.0, error=None):
        self.off, self.error, self.module = off, error, None
        monkeypatch.setattr(module, "write_graph", self.write)
        monkeypatch.setattr(module, "run_here", lambda paths, form, **settings: self)

    def write(self, graph, example, folder, name, **settings):
        (folder / "clip.onnx").write_bytes(b"a graph")
        if self.error is not None:
            raise self.error
        self.module = graph
        return folder / "clip.onnx"

    def __call__(self, frames):
        with torch.no_grad():
            return self.module(torch.from_numpy(frames)).numpy() + self.off


@pytest.fixture
def checkpoint(tiny_run, tmp_path):
    (tmp_path / "run").mkdir()
    return shutil.copy(tiny_run.checkpoint, tmp_path / "run" / "best.ckpt")


def changed(checkpoint, **changes):
    """The checkpoint with other metadata."""
    content = torch.load(checkpoint, weights_only=True)
    content["stvit_video"] |= changes
    torch.save(content, checkpoint)
    return checkpoint


def files_of(checkpoint):
    return sorted(checkpoint.parent.rglob("*"))


def export(checkpoint, **settings):
    return write_bundle(checkpoint, **{"format": "torch_export", "speed": False} | settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "tflite"}, "format='tflite' .*torch_export, onnx"),
        ({"precision": "int8"}, "precision=int8 .*openvino"),
        ({"format": "openvino", "precision": "fp16"}, "precision=fp16 "),
        ({"num_tokens": 5000}, "5000"),
        ({"generate_at": 9}, "9"),
        ({"views": {"num_crops": 2}}, "num_crops=2"),
    ],
)
def test_settings_that_cannot_be(checkpoint, settings, message):
    before = files_of(checkpoint)
    with pytest.raises(ValueError, match=message):
        export(checkpoint, **settings)
    assert files_of(checkpoint) == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": []}, "0 classes for 3 logits"),
        ({"classes": ["a", "b\nc", "d"]}, r"'b\\nc' has two; rename"),
        ({"classes": None}, "lacks .*classes"),
        ({"task": "detection"}, "is of task=detection, .*format=checkpoint"),
    ],
)
def test_checkpoints_that_are_no_classifiers(checkpoint, changes, message):
    before = files_of(changed(checkpoint, **changes))
    with pytest.raises(ValueError, match=message):
        export(checkpoint)
    assert files_of(checkpoint) == before


def test_files_that_are_no_checkpoints(checkpoint):
    torch.save({"weight": torch.zeros(3)}, checkpoint)
    with pytest.raises(ValueError, match="does not say which model it holds"):
        export(checkpoint)
    checkpoint.unlink()
    with pytest.raises(ValueError, match="there is no checkpoint file"):
        export(checkpoint)
    assert files_of(checkpoint) == []


def test_a_folder_with_other_things_is_let_be(checkpoint):
    (checkpoint.parent / "bundle_torch_export").mkdir()
    (checkpoint.parent / "bundle_torch_export" / "mine.txt").touch()
    before = files_of(checkpoint)
    with pytest.raises(ValueError, match="bundle_torch_export is there already; remove it"):
        export(checkpoint)
    assert files_of(checkpoint) == before


def test_a_missing_library_is_told_before_anything_is_traced(checkpoint, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    before = files_of(checkpoint)
    with pytest.raises(MissingLibraryError, match=r"pip install 'stvit-video\[onnx\]'"):
        export(checkpoint, format="onnx")
    for name in ("onnx", "onnxscript"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingLibraryError, match="needs the library 'onnxruntime'"):
        export(checkpoint, format="onnx")
    assert files_of(checkpoint) == before


@pytest.mark.parametrize(
    ("stub", "error", "message"),
    [
        ({"off": 0.31}, ParityError, "a runtime 1.2 is off by 0.31, allowed is 0.001"),
        ({"error": KeyboardInterrupt("stopped")}, KeyboardInterrupt, "stopped"),
        ({"error": OSError(errno.ENOSPC, "No space left")}, DiskFullError, "bundle_torch_export can't be written"),
        ({"error": RuntimeError("a bug")}, RuntimeError, "a bug"),
    ],
)
def test_nothing_is_left_of_what_failed(checkpoint, monkeypatch, stub, error, message):
    Stub(monkeypatch, **stub)
    before = files_of(checkpoint)
    with pytest.raises(error, match=message):
        export(checkpoint)
    assert files_of(checkpoint) == before


def test_the_folder_of_a_run_and_an_image_model(monkeypatch, tmp_path):
    Stub(monkeypatch)
    options = {"num_classes": 3, "image_size": 16, "patch_size": 4, "embed_dim": 8, "num_heads": 2, "depth": 2}
    model = create_model("deit_tiny", **options)
    sizes = {
        "num_frames": 1,
        "frame_stride": 1,
        "short_side": 20,
        "crop_size": 16,
        "mean": [0.5] * 3,
        "std": [0.25] * 3,
    }
    metadata = checkpoint_metadata(
        model_name="deit_tiny", model_options=options, classes=("a", "b", "c"), preprocessing=sizes,
        protocol={"num_clips": 1, "num_crops": 1, "average": "prob"}, config={}, position_grid=position_grid(model),
    )  # fmt: skip
    state = {f"model.{key}": value for key, value in model.state_dict().items()}
    torch.save({"state_dict": state, "stvit_video": metadata}, tmp_path / "last.ckpt")
    (tmp_path / "result.json").write_text('{"checkpoint": "last"}')
    out = write_bundle(tmp_path / "last.ckpt", format="torch_export", views={"num_crops": 3}, speed=False)
    found = read_bundle(out)
    assert out == tmp_path / "bundle_torch_export"
    assert found.input_size == (1, 16, 16, 3)
    assert (found.num_tokens, found.generate_at, found.protocol["num_crops"]) == (None, None, 3)
    assert found.golden().frames.shape == (2, 1, 16, 16, 3)
