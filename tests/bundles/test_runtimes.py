"""Graphs on their runtimes: what each answers, and what is said where it can't be run."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from linear_bundle import linear_weights, onnxruntime_stand_in, write_linear_bundle

from stvit_video.bundles.bundle_description import BundleError
from stvit_video.bundles.runtimes import open_graph
from stvit_video.utils.no_reports import without_reports
from stvit_video.utils.optional import MissingLibraryError

SIZES = {"num_frames": 2, "crop_size": 5}
FRAMES = np.random.default_rng(1).integers(0, 256, (3, 2, 5, 5, 3), dtype=np.uint8)
WEIGHTS = linear_weights(SIZES)
EXPECTED = (FRAMES.reshape(3, -1).astype(np.float64) / 255 @ WEIGHTS).astype(np.float32)


class Linear(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = torch.nn.Parameter(torch.from_numpy(WEIGHTS))

    def forward(self, frames):
        return (frames.float() / 255).flatten(1) @ self.weights


def openvino_stand_in(capabilities: list[str], compiled: list[dict]) -> ModuleType:
    """A module that notes the settings of what it compiles, on a processor of these capabilities."""
    module = ModuleType("openvino")
    module.__version__ = "2026.4.1-12345-abc"

    class Core:
        def get_property(self, device, name):
            return capabilities

        def compile_model(self, path, device, settings):
            compiled.append(settings)
            return self

        def create_infer_request(self):
            return None

    module.Core = Core
    return module


def test_torch_runs_what_it_has_exported_and_keeps_its_number_of_threads(tmp_path):
    batch = torch.export.Dim("batch")
    example = torch.from_numpy(FRAMES)
    torch.export.save(torch.export.export(Linear(), (example,), dynamic_shapes=({0: batch},)), tmp_path / "clip.pt2")
    before = torch.get_num_threads()
    graph = open_graph(tmp_path / "clip.pt2", format="torch_export", num_threads=before + 1)
    np.testing.assert_allclose(graph(FRAMES), EXPECTED, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(graph(FRAMES[1:2, :, ::1]), EXPECTED[1:2], rtol=1e-5, atol=1e-5)
    assert torch.get_num_threads() == before
    assert graph.runtime == f"torch {torch.__version__.split('+')[0]}"


def test_onnxruntime_runs_on_the_processor_alone_in_as_many_threads_as_wished(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", onnxruntime_stand_in())
    write_linear_bundle(tmp_path / "b")
    graph = open_graph(tmp_path / "b" / "clip.onnx", format="onnx", num_threads=3)
    assert graph.runtime == "onnxruntime 9.8.7"
    assert graph._session.options.intra_op_num_threads == 3
    assert graph._session.providers == ["CPUExecutionProvider"]
    plain = open_graph(tmp_path / "b" / "clip.onnx", format="onnx")
    assert not hasattr(plain._session.options, "intra_op_num_threads")


def test_openvino_computes_in_what_the_precision_and_the_processor_say(tmp_path, monkeypatch):
    hints = []
    for capabilities in (["FP32", "INT8"], ["FP32", "BF16"]):
        compiled: list[dict] = []
        monkeypatch.setitem(sys.modules, "openvino", openvino_stand_in(capabilities, compiled))
        for precision in ("fp32", "int8"):
            open_graph(tmp_path / "clip.xml", format="openvino", precision=precision, num_threads=2)
        hints.append([settings["INFERENCE_PRECISION_HINT"] for settings in compiled])
        assert {settings["INFERENCE_NUM_THREADS"] for settings in compiled} == {"2"}
    assert hints == [["f32", "f32"], ["f32", "bf16"]]
    assert open_graph(tmp_path / "clip.xml", format="openvino", precision="bf16").runtime == "openvino 2026.4.1"
    monkeypatch.setitem(sys.modules, "openvino", openvino_stand_in(["FP32"], []))
    with pytest.raises(BundleError, match="precision=bf16, .*no bfloat16; .*AMX.*precision=fp32 or precision=int8"):
        open_graph(tmp_path / "clip.xml", format="openvino", precision="bf16")


def test_what_can_not_be_run_here_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingLibraryError, match=r"^a bundle of format=onnx needs .*with: pip install onnxruntime$"):
        open_graph(tmp_path / "clip.onnx", format="onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", onnxruntime_stand_in())
    (tmp_path / "clip.onnx").write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"clip.onnx can't be opened by onnxruntime 9.8.7 \(.*\); export .* again"):
        open_graph(tmp_path / "clip.onnx", format="onnx")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(BundleError, match="clip.mlpackage .*macOS.*format=onnx"):
        open_graph(tmp_path / "clip.mlpackage", format="coreml")
    with pytest.raises(ValueError, match="precision=int8 .*format=onnx.*fp32"):
        open_graph(tmp_path / "clip.onnx", format="onnx", precision="int8")
    with pytest.raises(ValueError, match="format='tflite' .*torch_export, onnx"):
        open_graph(tmp_path / "clip.tflite", format="tflite")


@pytest.mark.deploy
def test_the_runtimes_themselves_answer_alike(tmp_path):
    """A graph written by hand, so that nothing of ours stands on both sides."""
    import onnx
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Cast", ["frames"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["pixels"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
    ]
    frames = helper.make_tensor_value_info("frames", TensorProto.UINT8, ["batch", 2, 5, 5, 3])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])
    weights = helper.make_tensor("weights", TensorProto.FLOAT, WEIGHTS.shape, (WEIGHTS / 255).tobytes(), raw=True)
    model = helper.make_model(
        helper.make_graph(nodes, "linear", [frames], [logits], [weights]),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    onnx.save(model, tmp_path / "clip.onnx")
    with without_reports():  # which threads would send that outlive the test
        import openvino

        graph = openvino.convert_model(tmp_path / "clip.onnx")
        openvino.save_model(graph, tmp_path / "clip.xml", compress_to_fp16=False)
    for file, format in (("clip.onnx", "onnx"), ("clip.xml", "openvino")):
        graph = open_graph(tmp_path / file, format=format, num_threads=1)
        assert graph.runtime.split()[0] in ("onnxruntime", "openvino")
        for batch in (1, 3):
            found = graph(FRAMES[:batch])
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, EXPECTED[:batch], rtol=1e-4, atol=1e-4)
    (tmp_path / "bad.onnx").write_bytes(b"no graph")
    with pytest.raises(BundleError, match="bad.onnx can't be opened by onnxruntime"):
        open_graph(tmp_path / "bad.onnx", format="onnx")
