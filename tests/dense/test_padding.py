import torch

from stvit_video.dense.padding import own_padding, padded, places_by_padding


def test_padding_is_the_next_multiple_of_32_of_at_least_64():
    assert own_padding((1, 64)) == (64, 64)
    assert own_padding((65, 96)) == (96, 96)
    assert own_padding((97, 800)) == (128, 800)


def test_zeros_come_right_and_bottom():
    pictures = torch.ones(2, 3, 70, 33)
    whole = padded(pictures)
    assert whole.shape == (2, 3, 96, 64)
    assert torch.equal(whole[..., :70, :33], pictures)
    assert whole.sum() == pictures.sum()


def test_places_of_pictures_that_have_the_same_padding():
    sizes = [(64, 90), (33, 130), (60, 96), (64, 65), (128, 52)]
    assert places_by_padding(sizes) == {(64, 96): [0, 2, 3], (64, 160): [1], (128, 64): [4]}
