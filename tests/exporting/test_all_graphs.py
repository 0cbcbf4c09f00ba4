"""Every kind of model as a program of torch.export and as an ONNX file, at other batch sizes than that of the trace.

All sizes of a kind are one graph with other numbers (`tests/test_all_models.py`), so the first stands for them: all
names but those of `KINDS` share the graph of `kind_of(name)`.
"""

import pytest
import torch
from short_models import KINDS, PYRAMIDS, exported, preprocessing_of

from stvit_video.exporting.clip_graph import example_frames
from stvit_video.exporting.onnx_file import write_onnx
from stvit_video.exporting.torch_program import write_program

pytestmark = pytest.mark.deploy


QUICK = ("casvit_xs", "stvit_r_swin_tiny")  # pyramids that stand for the others, whose classifiers are exported, too


def pyramid(name):
    return pytest.param(name, True, marks=() if name in QUICK else pytest.mark.slow)


@pytest.mark.parametrize(
    ("name", "features_only"), [*((name, False) for name in KINDS), *(pyramid(name) for name in PYRAMIDS)]
)
def test_torch_and_onnx_give_what_the_model_gives(name, features_only, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", exc_type=ImportError)
    graph, program = exported(name, features_only=features_only)
    write_program(program, tmp_path / "clip.pt2")
    read = torch.export.load(tmp_path / "clip.pt2").module()
    outputs = [f"map_{i}" for i in range(4)] if features_only else ["logits"]
    write_onnx(program, tmp_path / "clip.onnx", outputs=outputs)
    session = onnxruntime.InferenceSession(tmp_path / "clip.onnx")
    assert [port.name for port in session.get_inputs()] == ["frames"]
    assert [port.name for port in session.get_outputs()] == outputs
    assert {port.shape[0] for port in (*session.get_inputs(), *session.get_outputs())} == {"batch"}
    frames = example_frames(preprocessing_of(name), batch=3, seed=1)
    for given in (frames, frames[:1]):
        with torch.no_grad():
            wanted, found = graph(given), read(given)
        by_onnx = [torch.from_numpy(value) for value in session.run(None, {"frames": given.numpy()})]
        if not features_only:
            wanted, found = (wanted,), (found,)
        torch.testing.assert_close(list(found), list(wanted), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(by_onnx, list(wanted), atol=1e-4, rtol=1e-4)
