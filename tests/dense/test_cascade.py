import pytest
import torch

from stvit_video.dense.box_codes import decode_boxes
from stvit_video.dense.cascade import code_weights, refine_regions


def test_weights_are_one_over_the_published_deviations():
    wanted = [(0.1, 0.1, 0.2, 0.2), (0.05, 0.05, 0.1, 0.1), (0.033, 0.033, 0.067, 0.067)]
    for stage, deviations in enumerate(wanted):
        assert [1 / weight for weight in code_weights(stage)] == pytest.approx(deviations)
    assert code_weights(3) == code_weights(2)


def test_regions_by_the_definition():
    torch.manual_seed(0)
    regions = torch.tensor([[2.0, 3.0, 20.0, 30.0], [1.0, 1.0, 50.0, 39.0], [5.0, 6.0, 9.0, 12.0]])
    logits, offsets = torch.randn(3, 5), torch.randn(3, 4, 4)
    logits[1, 4] = 9.0  # the background is the likeliest, and is left out
    labels = torch.tensor([3, 4, 0])
    for known in (None, labels):
        found = refine_regions(regions, logits, offsets, weights=code_weights(0), size=(40, 60), labels=known)
        for i in range(3):
            label = int(logits[i, :4].argmax())
            if known is not None and labels[i] < 4:
                label = int(labels[i])
            box = decode_boxes(offsets[i, label][None], regions[i : i + 1], weights=code_weights(0))[0]
            wanted = [min(max(v, 0.0), edge) for v, edge in zip(box.tolist(), (60, 40, 60, 40), strict=True)]
            assert found[i].tolist() == pytest.approx(wanted, rel=1e-5, abs=1e-5)
