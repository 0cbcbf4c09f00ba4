import torch

from stvit_video.data.transforms.photometric import distort_colours


def picture():
    return torch.randint(20, 230, (3, 15, 22), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def distorted(seed, probability=1.0, **settings):
    generator = torch.Generator().manual_seed(seed)
    return distort_colours(picture(), probability=probability, generator=generator, **settings)


def test_nothing_happens_at_0_and_draws_are_the_same_at_any_probability():
    assert torch.equal(distorted(3, 0.0), picture())
    after = []
    for probability in (0.0, 0.5, 1.0):
        generator = torch.Generator().manual_seed(4)
        distort_colours(picture(), probability=probability, generator=generator)
        after.append(float(torch.rand((), generator=generator)))
    assert len(set(after)) == 1


def test_a_seed_gives_one_picture_and_seeds_give_many():
    results = [distorted(seed) for seed in range(12)]
    assert all(result.dtype == torch.uint8 and result.shape == (3, 15, 22) for result in results)
    assert torch.equal(results[5], distorted(5))
    means = torch.tensor([result.float().mean() for result in results])
    assert len(means.unique()) == 12
    assert (means / picture().float().mean()).log().abs().max() < 0.5  # light changes by an eighth, contrast not at all


def test_the_global_generator_is_left_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    distorted(1)
    assert torch.equal(torch.get_rng_state(), before)


def test_channels_may_keep_their_order():
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    swapped = 0
    for seed in range(8):
        kept, changed = distorted(seed, swap_channels=False), distorted(seed)
        assert any(torch.equal(kept[list(order)], changed) for order in orders)
        swapped += not torch.equal(kept, changed)
    assert swapped > 3
