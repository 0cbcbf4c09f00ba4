import pytest
import torch

from stvit_video.layers.attention import SelfAttention
from stvit_video.layers.batch_parts import in_parts
from stvit_video.layers.mlp import Mlp
from stvit_video.layers.window_attention import WindowAttention

ROW_BYTES = 3 * 5 * 4  # of an inner value of 5 channels, for a row of 3 tokens


def lengths_of_parts(x, **settings):
    lengths = []

    def double(part):
        lengths.append(len(part))
        return 2 * part

    torch.testing.assert_close(in_parts(double, x, **settings), 2 * x, rtol=0, atol=0)
    return lengths


@pytest.mark.parametrize(
    ("room", "group", "expected"),
    [(7 * ROW_BYTES, 1, [7]), (7 * ROW_BYTES - 1, 1, [6, 1]), (2 * ROW_BYTES, 1, [2, 2, 2, 1]), (1, 1, [1] * 7)],
)
def test_parts_are_as_long_as_their_room(room, group, expected, monkeypatch):
    monkeypatch.setattr("stvit_video.layers.batch_parts.PART_BYTES", room)
    with torch.inference_mode():
        assert lengths_of_parts(torch.randn(7, 3, 2), width=5, group=group) == expected


@pytest.mark.parametrize(("room", "expected"), [(1, [2, 2, 2]), (5 * ROW_BYTES, [4, 2]), (6 * ROW_BYTES, [6])])
def test_groups_of_rows_stay_together(room, expected, monkeypatch):
    monkeypatch.setattr("stvit_video.layers.batch_parts.PART_BYTES", room)
    with torch.no_grad():
        assert lengths_of_parts(torch.randn(6, 3, 2), width=5, group=2) == expected


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_gradients_and_recorded_graphs_take_the_batch_whole(monkeypatch):
    monkeypatch.setattr("stvit_video.layers.batch_parts.PART_BYTES", 1)
    x, layer = torch.randn(7, 3, 2), Mlp(2, hidden_dim=5)
    assert lengths_of_parts(x, width=5) == [7]
    with torch.no_grad():
        graph = str(torch.jit.trace(layer, x).graph)
        program = torch.export.export(layer, (x,))
    assert "aten::cat" not in graph
    assert "cat" not in str(program.graph)


@pytest.mark.parametrize("bias", [None, torch.randn(7, 1, 6, 6)])
def test_attention_and_mlp_give_the_same_in_parts(bias, monkeypatch):
    attention, mlp, x = SelfAttention(4, num_heads=2), Mlp(4, hidden_dim=9), torch.randn(7, 6, 4)
    whole = attention(x, bias), mlp(x)
    monkeypatch.setattr("stvit_video.layers.batch_parts.PART_BYTES", 1)
    with torch.no_grad():
        torch.testing.assert_close((attention(x, bias), mlp(x)), whole)


@pytest.mark.parametrize("shifted", [False, True])
def test_windows_give_the_same_in_parts(shifted, monkeypatch):
    attention, x = WindowAttention(4, num_heads=2, window=(2, 3), shifted=shifted), torch.randn(5, 4, 9, 4)
    whole = attention(x)
    monkeypatch.setattr("stvit_video.layers.batch_parts.PART_BYTES", 1)
    with torch.no_grad():
        torch.testing.assert_close(attention(x), whole)
