import pytest
import torch
from short_models import exported, preprocessing_of
from torch import nn

from stvit_video.exporting.clip_graph import example_frames
from stvit_video.exporting.torch_program import batch_is_dynamic, export_program, write_program


class Sums(nn.Module):
    """Two outputs of two inputs."""

    def forward(self, x, y):
        return x + y.sum(-1), y * 2


class Pairs(nn.Module):
    """Works for an even batch of two alone: the batch stands in its forward pass."""

    def forward(self, x):
        return x.reshape(2, 3).cumsum(0)


class Whole(nn.Module):
    """An output whose first axis is no batch."""

    def forward(self, x):
        return x.sum(0)


def test_any_batch_of_several_inputs():
    program = export_program(Sums(), (torch.randn(2, 3), torch.randn(2, 3, 5)))
    assert batch_is_dynamic(program)
    assert program.graph_signature.user_inputs == ("x", "y")
    for batch in (1, 7):
        x, y = torch.randn(batch, 3), torch.randn(batch, 3, 5)
        for found, wanted in zip(program.module()(x, y), Sums()(x, y), strict=True):
            torch.testing.assert_close(found, wanted)


def test_a_largest_batch():
    program = export_program(Sums(), (torch.randn(2, 3), torch.randn(2, 3, 5)), largest_batch=4)
    assert [int(bounds.upper) for bounds in program.range_constraints.values()] == [4]


@pytest.mark.parametrize("module", [Pairs(), Whole()])
def test_a_graph_for_one_batch_alone_is_refused(module):
    with pytest.raises(ValueError, match=f"{type(module).__name__} works for a batch of 2 alone"):
        export_program(module, torch.randn(2, 3))


def test_an_example_of_one_sample_is_refused():
    with pytest.raises(ValueError, match="batch of 1; give 2"):
        export_program(Sums(), (torch.randn(1, 3), torch.randn(2, 3, 5)))


def test_other_errors_of_a_module_stay_what_they_are():
    with pytest.raises(Exception, match="must match the size of tensor b") as caught:
        export_program(Sums(), (torch.randn(2, 3), torch.randn(2, 4, 5)))
    assert not isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", ["stvit_video_deit_tiny", "casvit_xs"])
def test_a_written_model_gives_the_same_logits_at_other_batch_sizes(name, tmp_path):
    """All other kinds are in `test_all_graphs.py`."""
    graph, program = exported(name)
    write_program(program, tmp_path / "clip.pt2")
    read = torch.export.load(tmp_path / "clip.pt2").module()
    frames = example_frames(preprocessing_of(name), batch=3, seed=1)
    with torch.no_grad():
        for given in (frames, frames[:1]):
            torch.testing.assert_close(read(given), graph(given), atol=1e-5, rtol=1e-5)
