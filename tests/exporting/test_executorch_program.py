import pytest
import torch
from short_models import preprocessing_of, short_model

from stvit_video.bundles.runtimes import open_graph
from stvit_video.exporting.clip_graph import ClipGraph, example_frames
from stvit_video.exporting.graph_formats import write_graph

pytestmark = pytest.mark.deploy


@pytest.mark.parametrize("name", ["stvit_video_deit_tiny", "stvit_casvit_xs"])
def test_logits_of_xnnpack(name, tmp_path):
    pytest.importorskip("executorch.exir", exc_type=ImportError, reason="executorch has an environment of its own")
    graph = ClipGraph(short_model(name), preprocessing_of(name)).eval()
    path = write_graph(graph, example_frames(preprocessing_of(name)), tmp_path, "clip", format="executorch")
    program = open_graph(path, format="executorch")
    frames = example_frames(preprocessing_of(name), batch=3, seed=1)
    with torch.no_grad():
        for given in (frames, frames[:1]):
            torch.testing.assert_close(torch.from_numpy(program(given.numpy())), graph(given), atol=1e-4, rtol=1e-4)
