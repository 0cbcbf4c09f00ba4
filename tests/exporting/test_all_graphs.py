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

QUICK_PYRAMIDS = ("casvit_xs",)  # classifiers of the others are exported


def is_traced(name):
    """Whether a kind is traced in every run: all DeiT, which take few seconds, and of the others one of two twins.

    An image model and its video twin share their layers: of these it is the image model, which is cheaper, and of the
    kind with all units, those of restoration too, the video model.
    """
    return "deit" in name or ("_video_" in f"_{name}") == name.startswith("stvit_r_")


def has_own_onnx(name):
    """Whether the ONNX file of a kind is written in every run: of two twins one.

    Models without tokens have the layers that come first in those with tokens, and the pyramid stands for them.
    """
    return name.startswith("stvit_") and ("_video_" in name) == name.startswith("stvit_r_")


def cases(is_quick):
    """Names and whether these are pyramids; slow = a kind that is not quick, or a pyramid not of `QUICK_PYRAMIDS`."""
    kinds = [pytest.param(name, False, marks=() if is_quick(name) else pytest.mark.slow) for name in KINDS]
    pyramids = [pytest.param(n, True, marks=() if n in QUICK_PYRAMIDS else pytest.mark.slow) for n in PYRAMIDS]
    return kinds + pyramids


def expected_at_two_sizes(graph, name, features_only):
    """Batches of frames and the outputs that the model gives for each."""
    frames = example_frames(preprocessing_of(name), batch=3, seed=1)
    for given in (frames, frames[:1]):
        with torch.no_grad():
            wanted = graph(given)
        yield given, list(wanted) if features_only else [wanted]


@pytest.mark.parametrize(("name", "features_only"), cases(is_traced))
def test_torch_gives_what_the_model_gives(name, features_only, tmp_path):
    graph, program = exported(name, features_only=features_only)
    write_program(program, tmp_path / "clip.pt2")
    read = torch.export.load(tmp_path / "clip.pt2").module()
    for given, wanted in expected_at_two_sizes(graph, name, features_only):
        with torch.no_grad():
            found = read(given)
        torch.testing.assert_close(list(found) if features_only else [found], wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("name", "features_only"), cases(has_own_onnx))
def test_onnx_gives_what_the_model_gives(name, features_only, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", exc_type=ImportError)
    graph, program = exported(name, features_only=features_only)
    outputs = [f"map_{i}" for i in range(4)] if features_only else ["logits"]
    write_onnx(program, tmp_path / "clip.onnx", outputs=outputs)
    session = onnxruntime.InferenceSession(tmp_path / "clip.onnx")
    assert [port.name for port in session.get_inputs()] == ["frames"]
    assert [port.name for port in session.get_outputs()] == outputs
    assert {port.shape[0] for port in (*session.get_inputs(), *session.get_outputs())} == {"batch"}
    for given, wanted in expected_at_two_sizes(graph, name, features_only):
        found = [torch.from_numpy(value) for value in session.run(None, {"frames": given.numpy()})]
        torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
