import pytest
import torch
from drawn_maps import enlarged

from stvit_video.dense.map_logits import label_pixels, resized_logits

LOGITS = torch.randn(7, 5, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [(5, 6), (13, 8), (3, 17), (1, 1)])
def test_resizing_is_bilinear_between_the_centres_of_cells(size):
    torch.testing.assert_close(resized_logits(LOGITS[None], size)[0], enlarged(LOGITS, size))


@pytest.mark.parametrize("most_values", [1, 3 * 13 * 8, 10**6])
@pytest.mark.parametrize("size", [(13, 8), (5, 6)])
def test_the_winner_and_its_share_for_any_number_of_classes_at_a_time(size, most_values):
    whole = enlarged(LOGITS, size)
    found = label_pixels(LOGITS, size, most_values=most_values)
    assert torch.equal(found["labels"], whole.argmax(0).to(torch.uint8))
    torch.testing.assert_close(found["scores"], whole.softmax(0).amax(0))
    assert found["scores"].dtype == torch.float32


def test_255_classes_and_logits_of_half_precision():
    logits = torch.zeros(255, 2, 3, dtype=torch.bfloat16)
    logits[254, 1] = 4
    found = label_pixels(logits, (2, 3), most_values=12)
    assert found["labels"].tolist() == [[0] * 3, [254] * 3]
    torch.testing.assert_close(found["scores"][0], torch.full((3,), 1 / 255))


def test_large_logits_do_not_overflow():
    found = label_pixels(torch.tensor([500.0, -500.0, 499.0])[:, None, None], (1, 1), most_values=1)
    assert int(found["labels"]) == 0
    assert float(found["scores"]) == pytest.approx(1 / (1 + torch.e**-1), rel=1e-6)
