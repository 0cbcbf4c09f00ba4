import pytest
import torch
from short_models import preprocessing_of, short_model

from stvit_video.exporting.clip_graph import ClipGraph, example_frames
from stvit_video.exporting.stream_graphs import DecideGraph, EncodeGraph
from stvit_video.exporting.torch_program import export_program
from stvit_video.streaming.model_halves import frames_per_step

STREAMED = ["stvit_video_deit_tiny", "stvit_r_video_deit_tiny", "stvit_video_casvit_xs"]


@pytest.mark.parametrize("name", STREAMED)
def test_both_graphs_together_give_the_logits_of_the_clip(name):
    model, sizes = short_model(name), preprocessing_of(name)
    encode, decide = EncodeGraph(model, sizes).eval(), DecideGraph(model, sizes).eval()
    frames = example_frames(sizes, batch=3)
    steps = frames.split(frames_per_step(model), dim=1)
    assert len(steps) == (2 if "deit" in name else 4)
    with torch.no_grad():
        tokens = torch.stack([encode(step) for step in steps], dim=1)  # (B, T, *grid, C)
        assert tokens.shape == (3, len(steps), 4, 4, 8 if "deit" in name else 16)
        torch.testing.assert_close(decide(tokens), ClipGraph(model, sizes)(frames), atol=1e-5, rtol=1e-5)


def test_both_can_be_traced():
    model, sizes = short_model(STREAMED[0]), preprocessing_of(STREAMED[0])
    encode, decide = EncodeGraph(model, sizes).eval(), DecideGraph(model, sizes).eval()
    step, tokens = example_frames(sizes, batch=3)[:, :2], torch.randn(3, 2, 4, 4, 8)
    with torch.no_grad():
        torch.testing.assert_close(export_program(encode, step[:2]).module()(step), encode(step))
        torch.testing.assert_close(export_program(decide, tokens[:2]).module()(tokens), decide(tokens))


@pytest.mark.parametrize("graph", [EncodeGraph, DecideGraph])
def test_a_model_that_mixes_time_too_early_has_no_two_graphs(graph):
    name = "stvit_video_swin_tiny"
    with pytest.raises(ValueError, match="step by step: its windows"):
        graph(short_model(name), preprocessing_of(name))
