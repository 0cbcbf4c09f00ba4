import logging

import pytest
import torch
from torch import nn

from stvit_video.exporting import onnx_file
from stvit_video.exporting.onnx_file import write_onnx
from stvit_video.exporting.torch_program import export_program

pytestmark = pytest.mark.deploy


class Affine(nn.Module):
    """Two inputs and two outputs, and an operator of several outputs, of which the optimiser has something to tell."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(300, 7)

    def forward(self, frames, shift):
        left, right = torch.tensor([[2.0] * 7, [3.0] * 7]).split(1)
        return self.linear(frames.float()) + shift, shift * (right - left) * 2


@pytest.fixture(scope="module")
def affine():
    module = Affine().eval()
    return module, export_program(module, (torch.zeros(2, 300, dtype=torch.uint8), torch.zeros(2, 7)))


@pytest.mark.parametrize("largest", [None, 1000])
def test_names_symbols_and_where_the_weights_are(affine, largest, tmp_path, monkeypatch, caplog):
    onnxruntime = pytest.importorskip("onnxruntime", exc_type=ImportError)
    if largest is not None:  # as of weights over 2 GB
        monkeypatch.setattr(onnx_file, "LARGEST_FILE_BYTES", largest + onnx_file.STRUCTURE_BYTES)
    module, program = affine
    write_onnx(program, tmp_path / "a.onnx", outputs=["logits", "doubled"])
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", *(["a.onnx.data"] if largest else [])]
    session = onnxruntime.InferenceSession(tmp_path / "a.onnx")
    shapes = {port.name: port.shape for port in (*session.get_inputs(), *session.get_outputs())}
    assert shapes == {
        "frames": ["batch", 300],
        "shift": ["batch", 7],
        "logits": ["batch", 7],
        "doubled": ["batch", 7],
    }
    frames, shift = torch.randint(256, (5, 300), dtype=torch.uint8), torch.randn(5, 7)
    found = session.run(None, {"frames": frames.numpy(), "shift": shift.numpy()})
    with torch.no_grad():
        for value, wanted in zip(found, module(frames, shift), strict=True):
            torch.testing.assert_close(torch.from_numpy(value), wanted, atol=1e-4, rtol=1e-4)
