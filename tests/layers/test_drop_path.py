import pytest
import torch

from stvit_video.layers.drop_path import DropPath, drop_path, drop_path_rates


def test_drops_whole_samples_and_keeps_the_mean():
    torch.manual_seed(0)
    out = drop_path(torch.ones(4000, 2, 3), drop_probability=0.25, training=True)
    per_sample = out.flatten(1)
    assert all(len(set(row.tolist())) == 1 for row in per_sample)
    assert sorted(set(per_sample[:, 0].tolist())) == pytest.approx([0.0, 1 / 0.75])
    assert out.mean().item() == pytest.approx(1.0, abs=0.03)


def test_does_nothing_in_eval_and_at_rate_zero():
    x = torch.randn(5, 2)
    assert DropPath(0.9).eval()(x) is x
    assert DropPath(0.0)(x) is x


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2.0])
def test_rate_out_of_range(rate):
    with pytest.raises(ValueError, match=rf"drop_path .*{rate}\b.*\[0, 1\)"):
        DropPath(rate)


@pytest.mark.parametrize("rate", [2, -0.5, "0.1"])
def test_the_rate_that_was_given_is_named(rate):
    with pytest.raises(ValueError, match=rf"drop_path_rate={rate!r} .*(\[0, 1\)|finite number)"):
        drop_path_rates(rate, 4)


def test_rates_grow_linearly():
    assert drop_path_rates(0.3, 4) == pytest.approx((0.0, 0.1, 0.2, 0.3))
    assert drop_path_rates(0.3, 1) == (0.0,)
    assert "0.1" in repr(DropPath(0.1))
