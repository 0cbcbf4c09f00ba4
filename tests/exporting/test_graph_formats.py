import sys

import pytest
import torch
from torch import nn

from stvit_video.exporting.graph_formats import FORMATS, write_graph
from stvit_video.utils.optional import MissingLibraryError


def written(folder, **settings):
    return write_graph(nn.Linear(3, 5), torch.randn(2, 3), folder, "clip", **settings)


def test_the_file_and_what_it_holds(tmp_path):
    path = written(tmp_path, format="torch_export")
    assert path == tmp_path / "clip.pt2"
    assert torch.export.load(path).module()(torch.randn(4, 3)).shape == (4, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"format": "tflite"}, "format='tflite' .*torch_export, onnx, openvino, coreml, executorch"),
        ({"format": "onnx", "precision": "bf16"}, "precision=bf16 .*format=onnx, .* fp32; .*format=openvino"),
        ({"format": "coreml", "precision": "fp8"}, "precision=fp8 .*format=coreml, .* fp32"),
        ({"format": "openvino", "precision": "int8"}, "precision=int8 came without quantise"),
        ({"format": "openvino", "quantise": lambda model: model}, "precision=fp32 came with quantise"),
    ],
)
def test_what_a_format_does_not_offer(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        written(tmp_path, **settings)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_library_is_named_before_anything_is_traced(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    monkeypatch.setitem(sys.modules, "onnx", nn)
    monkeypatch.setattr(torch.export, "export", None)
    with pytest.raises(MissingLibraryError, match="format=onnx .*'onnxscript'.*pip install 'stvit-video\\[onnx\\]'"):
        written(tmp_path, format="onnx")


@pytest.mark.parametrize("keeps_norms", [False, True])
def test_batch_norms_are_folded_unless_they_are_to_stay(tmp_path, keeps_norms):
    module = nn.Sequential(nn.Conv2d(3, 5, 2), nn.BatchNorm2d(5))
    path = write_graph(
        module, torch.randn(2, 3, 4, 7), tmp_path, "clip", format="torch_export", keeps_norms=keeps_norms
    )
    operations = [str(node.target) for node in torch.export.load(path).graph.nodes]
    assert any("batch_norm" in name for name in operations) is keeps_norms
    assert module.training  # it stays as it is


def test_endings_differ():
    assert len({form.ending for form in FORMATS.values()}) == len(FORMATS)
