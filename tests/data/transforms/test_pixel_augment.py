import numpy as np
import pytest
import torch

from stvit_video.data.transforms.pixel_augment import Draw, PixelAugment, erase_, erase_boxes
from stvit_video.utils.seeding import seeded_generator


def draws(augment: PixelAugment, count: int = 300) -> list[Draw]:
    return [augment.draw(31, 47, generator=seeded_generator(seed)) for seed in range(count)]


def test_nothing_is_drawn_unless_asked_for():
    generator = seeded_generator(5)
    before = generator.get_state()
    assert PixelAugment().draw(5, 7, generator=generator) == Draw((), (), 0)
    assert torch.equal(generator.get_state(), before)


def test_jitter_goes_either_way_in_any_order():
    found = draws(PixelAugment(colour_jitter=0.4, hue_jitter=0.1))
    assert {draw.ops[0][0] for draw in found} == {"brightness", "contrast", "saturation", "hue"}
    for name, middle, reach in (("contrast", 1.0, 0.4), ("brightness", 1.0, 0.4), ("hue", 0.0, 0.1)):
        values = np.array([dict(draw.ops)[name] for draw in found])
        assert (np.abs(values - middle) <= reach).all()
        assert values.min() < middle - 0.9 * reach
        assert values.max() > middle + 0.9 * reach
    assert all(len(draw.ops) == 3 for draw in draws(PixelAugment(colour_jitter=0.1), 5))


def test_jitter_stands_before_randaugment():
    ops = [draw.ops for draw in draws(PixelAugment(hue_jitter=0.1, rand_augment="rand-m7-n4-p1"), 20)]
    assert all(len(each) == 5 and each[0][0] == "hue" for each in ops)


def test_boxes_are_erased_as_often_as_asked_and_have_the_area_asked_for():
    found = draws(PixelAugment(erase_probability=0.25))
    erased = [draw for draw in found if draw.erased]
    assert 50 <= len(erased) <= 100  # 75 expected, deviation 7.5
    assert len({draw.noise_seed for draw in erased}) == len(erased)
    assert {draw.noise_seed for draw in found if not draw.erased} == {0}
    areas = np.array([h * w / (31 * 47) for draw in erased for _, _, h, w in draw.erased])
    assert 0.015 < areas.min() < 0.06
    assert 0.25 < areas.max() < 0.36


def test_several_boxes_share_the_area():
    boxes = [erase_boxes(83, 59, count=3, generator=seeded_generator(seed)) for seed in range(80)]
    assert {len(some) for some in boxes} == {3}
    for top, left, height, width in (box for some in boxes for box in some):
        assert 0 <= top <= 83 - height
        assert 0 <= left <= 59 - width
        assert height * width / (83 * 59) < 0.125
        assert 0.24 < height / width < 4.1


def test_a_box_that_fits_nowhere_is_left_out():
    assert erase_boxes(1, 1, count=2, generator=seeded_generator(0)) == ()


def test_erasing_fills_the_same_box_of_every_frame_with_new_noise():
    clip = torch.full((3, 5, 40, 70), 9.0)
    draw = Draw((), ((3, 20, 30, 45), (35, 0, 2, 7)), 11)
    erased = erase_(clip.clone(), draw)
    inside = torch.zeros(40, 70, dtype=torch.bool)
    inside[3:33, 20:65] = inside[35:37, 0:7] = True
    assert torch.equal(erased != 9.0, inside.expand(3, 5, -1, -1))
    noise = erased[:, :, 3:33, 20:65]
    assert abs(float(noise.mean())) < 0.03
    assert abs(float(noise.std()) - 1) < 0.03
    assert not torch.equal(noise[:, 0], noise[:, 1])
    assert torch.equal(erase_(clip.clone(), draw), erased)
    assert not torch.equal(erase_(clip.clone(), draw._replace(noise_seed=12)), erased)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rand_augment": "rand-7"}, "rand_augment='rand-7' can't be read"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PixelAugment(**settings)
