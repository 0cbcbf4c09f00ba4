import pytest
import torch
from short_models import exported, preprocessing_of

from stvit_video.exporting.clip_graph import example_frames
from stvit_video.exporting.openvino_file import write_openvino

pytestmark = pytest.mark.deploy


@pytest.mark.parametrize("name", ["stvit_video_deit_tiny", "stvit_swin_tiny", "stvit_casvit_xs"])
def test_logits_in_float32_and_bfloat16(name, tmp_path):
    openvino = pytest.importorskip("openvino", exc_type=ImportError)
    graph, program = exported(name)
    write_openvino(program, tmp_path / "clip.xml", outputs=["logits"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.bin", "clip.xml"]
    frames = example_frames(preprocessing_of(name), batch=3, seed=1)
    core = openvino.Core()
    offered = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    for hint, share in (("f32", 1e-4), ("bf16", 0.05)):
        if hint == "bf16" and "BF16" not in offered:
            continue
        run = core.compile_model(tmp_path / "clip.xml", "CPU", {"INFERENCE_PRECISION_HINT": hint})
        assert [port.get_any_name() for port in run.inputs] == ["frames"]
        for given in (frames, frames[:1]):
            with torch.no_grad():
                wanted = graph(given)
            found = torch.from_numpy(run([given.numpy()])["logits"].copy())
            largest = float(wanted.abs().max())
            torch.testing.assert_close(found, wanted, atol=share * largest, rtol=0)


def test_what_quantises_gets_the_model_and_gives_what_is_written(tmp_path):
    openvino = pytest.importorskip("openvino", exc_type=ImportError)
    seen = []

    def quantise(model):
        seen.append([port.get_any_name() for port in (*model.inputs, *model.outputs)])
        model.set_friendly_name("in 8 bits")
        return model

    write_openvino(exported("stvit_video_deit_tiny")[1], tmp_path / "a.xml", outputs=["logits"], quantise=quantise)
    assert seen == [["frames", "logits"]]
    assert openvino.Core().read_model(tmp_path / "a.xml").get_friendly_name() == "in 8 bits"
