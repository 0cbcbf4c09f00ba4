import torch

from stvit_video.utils.seeding import seeded_generator


def test_seeded_generator_depends_on_every_number():
    draws = {
        numbers: torch.rand(1, generator=seeded_generator(*numbers)).item()
        for numbers in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0), (2, 3, 5), (5, 3, 2)]
    }
    assert len(set(draws.values())) == len(draws)
    assert torch.rand(1, generator=seeded_generator(2, 3, 5)).item() == draws[2, 3, 5]
