import pytest
import torch

from stvit_video.tokens.shared_tokens import SharedTokens, key_rows


@pytest.mark.parametrize(
    ("runs", "rows"),
    [
        ([place // 4 for place in range(8)], [0, 4]),
        ([0, 0, 0], [0]),
        ([5, 6, 7], [0, 1, 2]),
        ([("a", 1), ("b", 1), ("a", 1), ("a", 2)], [0, 1, 3]),
        ([], []),
    ],
)
def test_the_first_of_each_run_is_its_key_frame(runs, rows):
    assert key_rows(runs) == rows


def test_frames_of_a_run_recover_from_what_its_first_frame_has_left_in_the_same_unit():
    shared = SharedTokens(["a", "a", "b", "a", "b"])
    assert shared.rows == [0, 2]
    frames = torch.arange(5.0)[:, None]
    assert shared.generating(frames).flatten().tolist() == [0.0, 2.0]
    for unit in (10.0, 20.0):
        kv = unit + torch.tensor([[[1.0]], [[2.0]]])
        assert (shared.recovered_from(kv) - unit).flatten().tolist() == [1.0, 1.0, 2.0, 1.0, 2.0]


def test_a_later_pass_goes_on_with_the_runs_of_an_earlier_one():
    first = SharedTokens(["a", "b"])
    for unit in (0.0, 10.0):
        first.recovered_from(unit + torch.tensor([[1.0], [2.0]]))
    mixed = SharedTokens(["b", "c", "c"], kept=first.kept)
    assert mixed.rows == [1]
    assert [mixed.recovered_from(torch.tensor([[v]])).flatten().tolist() for v in (3.0, 13.0)] == [
        [2.0, 3.0, 3.0],
        [12.0, 13.0, 13.0],
    ]
    none_new = SharedTokens(["c", "a"], kept=first.kept)
    assert none_new.rows == []
    assert [none_new.recovered_from(None).flatten().tolist() for _ in range(2)] == [[3.0, 1.0], [13.0, 11.0]]


def test_each_view_of_a_run_has_a_key_frame_of_its_own():
    whole, sizes = SharedTokens(["a", "a", "a", "b"]), ((32, 64), (64, 64))
    small, large = whole.part([0, 2], views=sizes[:1] * 2), whole.part([1, 3], views=sizes[1:] * 2)
    assert (small.rows, large.rows) == ([0], [0, 1])
    small.recovered_from(torch.tensor([[1.0]]))
    large.recovered_from(torch.tensor([[2.0], [3.0]]))
    later = SharedTokens(["a", "b"], kept=whole.kept)
    assert later.part([0, 0], views=sizes).recovered_from(None).flatten().tolist() == [1.0, 2.0]
    assert later.part([1, 1], views=sizes).rows == [0]


def test_where_every_frame_is_a_key_frame_nothing_is_copied():
    shared, x = SharedTokens([0, 1]), torch.randn(2, 3)
    assert shared.generating(x) is x
    assert shared.recovered_from(x) is x


def test_gradients_of_all_frames_reach_the_key_frame():
    kv = torch.randn(1, 2, requires_grad=True)
    shared = SharedTokens([0, 0, 0])
    (shared.recovered_from(kv) * torch.tensor([[1.0], [10.0], [100.0]])).sum().backward()
    assert kv.grad.tolist() == [[111.0, 111.0]]
