import torch

from stvit_video.models.checkpoints.fit import Fit


def test_every_fit_has_lists_of_its_own():
    one, other = Fit({"a": torch.zeros(1)}), Fit({})
    one.new.append("a")
    assert (one.new, other.new) == (["a"], [])
