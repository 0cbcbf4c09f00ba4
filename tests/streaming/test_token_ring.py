"""The ring against a list of everything that was appended, whose end is looked at."""

import numpy as np
import pytest
import torch

from stvit_video.streaming.token_ring import TokenRing


@pytest.mark.parametrize("num_kept", [1, 2, 5, 8])
def test_the_last_items_are_those_of_a_list(num_kept):
    generator = np.random.default_rng(num_kept)
    ring, everything, sizes = TokenRing(num_kept), [], set()
    for _ in range(200):
        items = generator.normal(size=(int(generator.integers(0, 2 * num_kept + 2)), 2, 3))
        ring.append(items)
        everything.extend(items)
        sizes.add(ring.num_bytes)
        assert len(ring) == min(num_kept, len(everything))
        for count in range(1, len(ring) + 1):
            np.testing.assert_array_equal(ring.latest(count), everything[-count:])
    assert sizes == {2 * num_kept * 2 * 3 * 8}


def test_what_is_kept_is_a_copy_of_what_came_and_is_given_as_a_view():
    ring, items = TokenRing(3), np.arange(6.0).reshape(3, 2)
    ring.append(items)
    items[:] = -1
    latest = ring.latest(2)
    np.testing.assert_array_equal(latest, [[2, 3], [4, 5]])
    assert not latest.flags.owndata
    assert latest.flags.c_contiguous


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tensors_keep_their_type_also_those_of_inference(dtype):
    ring = TokenRing(2)
    with torch.inference_mode():
        tokens = torch.arange(10.0).reshape(5, 2).to(dtype)
    for token in tokens.split(1):  # outside of inference, where a tensor of it can't be written
        ring.append(token)
    assert ring.latest(2).dtype == dtype
    assert torch.equal(ring.latest(2), tokens[-2:])


@pytest.mark.parametrize("other", [np.zeros((1, 3)), np.zeros((1, 2), dtype=np.float32)])
def test_items_of_another_size_or_type_are_an_error_until_it_is_cleared(other):
    ring = TokenRing(2)
    ring.append(np.ones((1, 2)))
    with pytest.raises(ValueError, match=r"sizes \(2,\) and type float64, and now .*call reset\(\)"):
        ring.append(other)
    np.testing.assert_array_equal(ring.latest(1), [[1, 1]])
    ring.clear()
    assert (len(ring), ring.num_bytes) == (0, 0)
    ring.append(other)
    np.testing.assert_array_equal(ring.latest(1), other)
