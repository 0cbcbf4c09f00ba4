"""Which operations stay in higher precision, on a small stand-in for a graph; and a real graph in 8 bits."""

import re

import numpy as np
import pytest
import torch
from short_models import preprocessing_of, short_model
from torch import nn

from stvit_video.bundles.runtimes import open_graph
from stvit_video.exporting.clip_graph import ClipGraph, example_frames
from stvit_video.exporting.graph_formats import write_graph
from stvit_video.exporting.int8 import PARTS, kept_operations, module_names, quantiser_of
from stvit_video.exporting.torch_program import export_program

NAME = "stvit_video_deit_tiny"


def test_names_of_the_parts():
    (generation,) = module_names(short_model(NAME), ["generation"])
    assert type(short_model(NAME).get_submodule(generation)).__name__ == "SemanticTokenGenerator"
    assert module_names(short_model(NAME), PARTS) == ("patch_embed", generation, "head")
    assert module_names(short_model("casvit_xs"), PARTS) == ("stem", "head")
    assert module_names(short_model(NAME), ()) == ()
    with pytest.raises(ValueError, match="keep=heads .*patch_embed, generation, head"):
        module_names(short_model(NAME), ["heads"])


class Operation:
    """An operation of a graph, which is called after a node."""

    def __init__(self, name, kind="MatMul"):
        self.get_friendly_name = lambda: name
        self.get_type_name = lambda: kind


class Outer(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.ModuleDict({"head": nn.Linear(3, 2), "header": nn.Linear(3, 3)})

    def forward(self, x):
        return self.model["head"](self.model["header"](x))


def test_operations_are_told_by_the_module_that_their_node_comes_from():
    program = export_program(Outer(), torch.zeros(2, 3))
    header, head = [node.name for node in program.graph.nodes if "linear" in node.name]
    operations = [Operation(f"{name}/aten/MatMul") for name in (header, head)] + [Operation(head, "Constant")]
    graph = type("Graph", (), {"get_ordered_ops": lambda self: operations})()
    assert kept_operations(program, graph, ["head"]) == [f"{head}/aten/MatMul"]
    assert kept_operations(program, graph, ["header", "head"]) == [f"{name}/aten/MatMul" for name in (header, head)]
    assert kept_operations(program, graph, []) == []


@pytest.mark.deploy
def test_a_graph_in_8_bits_is_near_and_keeps_its_parts(tmp_path):
    model, sizes = short_model(NAME), preprocessing_of(NAME)
    module, frames = ClipGraph(model, sizes).eval(), example_frames(sizes)
    clips = [example_frames(sizes, seed=seed).numpy()[:1] for seed in range(5)]
    counts, found = {}, {}
    for keep in (PARTS, ()):
        path = write_graph(
            module, frames, tmp_path, f"kept{len(keep)}", format="openvino", precision="int8",
            quantise=quantiser_of(model, clips, keep=keep),
        )  # fmt: skip
        counts[keep] = len(re.findall('type="FakeQuantize"', path.read_text()))
        found[keep] = open_graph(path, format="openvino", precision="int8")(frames.numpy()[:1])
    assert 0 < counts[PARTS] < counts[()]
    with torch.no_grad():
        expected = module(frames[:1]).numpy()
    # without the parts that are kept, 8 channels of random weights are half a logit off
    np.testing.assert_allclose(found[PARTS], expected, atol=0.2 * np.abs(expected).max())
    assert np.isfinite(found[()]).all()
