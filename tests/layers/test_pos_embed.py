import math

import pytest
import torch
from torch.nn import functional as F

from stvit_video.layers.pos_embed import new_table, resize_grid, sincos_table


def test_same_grid_is_the_table_itself():
    table = torch.randn(1, 2, 3, 5, 7)
    assert resize_grid(table, (2, 3, 5)) is table


def test_space_equals_bicubic_of_every_step():
    table = torch.randn(1, 2, 3, 5, 7)
    out = resize_grid(table, (2, 4, 6))
    for step in range(2):
        expected = F.interpolate(table[:, step].permute(0, 3, 1, 2), size=(4, 6), mode="bicubic")
        torch.testing.assert_close(out[:, step], expected.permute(0, 2, 3, 1))


def test_time_by_hand():
    table = torch.tensor([0.0, 10.0]).reshape(1, 2, 1)
    assert resize_grid(table, (4,)).flatten().tolist() == [0.0, 2.5, 7.5, 10.0]


def test_time_and_space_are_separable():
    table = torch.randn(1, 2, 3, 5, 7)
    both = resize_grid(table, (3, 4, 6))
    torch.testing.assert_close(both, resize_grid(resize_grid(table, (3, 3, 5)), (3, 4, 6)))
    torch.testing.assert_close(both, resize_grid(resize_grid(table, (2, 4, 6)), (3, 4, 6)))


@pytest.mark.parametrize("sizes", [(3, 7), (2, 1), (9, 9)])
def test_constant_tables_stay_constant(sizes):
    torch.testing.assert_close(resize_grid(torch.ones(1, 3, 5, 2), sizes), torch.ones(1, *sizes, 2))


def test_bf16_keeps_its_type_and_gradients_flow():
    table = new_table(1, 2, 3, 5)
    resize_grid(table, (4, 5)).sum().backward()
    assert table.grad is not None
    assert resize_grid(table.detach().bfloat16(), (4, 5)).dtype == torch.bfloat16


def test_number_of_axes():
    with pytest.raises(ValueError, match=r"grid \(2, 3\) .*\(4,\).* 2 sizes"):
        resize_grid(torch.zeros(1, 2, 3, 5), (4,))


@pytest.mark.parametrize(("sizes", "dim"), [((3, 5), 8), ((2, 3, 5), 14), ((7,), 6)])
def test_sines_and_cosines_equal_a_slow_loop(sizes, dim):
    table = sincos_table(sizes, dim)
    assert table.shape == (1, *sizes, dim)
    num_frequencies = dim // (2 * len(sizes))
    for place in torch.cartesian_prod(*[torch.arange(size) for size in sizes]).view(-1, len(sizes)).tolist():
        expected = []
        for position in place:
            angles = [position / 10_000 ** (i / num_frequencies) for i in range(num_frequencies)]
            expected += [math.sin(angle) for angle in angles] + [math.cos(angle) for angle in angles]
        expected += [0.0] * (dim - len(expected))
        torch.testing.assert_close(table[0][tuple(place)], torch.tensor(expected))
