import pytest
import torch
from short_models import preprocessing_of, short_model

from stvit_video.exporting.clip_graph import ClipGraph, example_frames
from stvit_video.exporting.patch_convolutions import patches_by_convolution
from stvit_video.exporting.torch_program import export_program


def most_axes(program):
    return max(value.ndim for node in program.graph.nodes if hasattr(value := node.meta.get("val"), "ndim"))


@pytest.mark.parametrize("name", ["stvit_deit_tiny", "stvit_video_deit_tiny"])
def test_equal_logits_with_five_axes_at_most(name):
    frames = example_frames(preprocessing_of(name))
    graph = ClipGraph(short_model(name), preprocessing_of(name)).eval()
    with torch.no_grad():
        expected = graph(frames)
        assert most_axes(export_program(graph, frames)) > 5
        patches_by_convolution(graph)
        assert most_axes(export_program(graph, frames)) == 5
        torch.testing.assert_close(graph(frames), expected, atol=1e-5, rtol=1e-5)
