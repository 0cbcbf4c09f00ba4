"""What tokens say, against loops over models built by hand, finite differences, and cases where all is linear."""

import numpy as np
import pytest
import torch

from stvit_video.token_maps import attribution
from stvit_video.token_maps.attribution import contributions, occlusions, without_rounding
from stvit_video.token_maps.cells import cell_numbers
from stvit_video.token_maps.token_site import token_site
from tests.helpers.short_models import KINDS, short_clip, short_model

LABEL = 1


def looked(name, layer=None, **options):
    model = short_model(name, **options)
    site = token_site(model, layer=layer)
    return model, site, site.see(short_clip(model))


def each(seen):
    return np.arange(seen.tokens.flatten(1, -2).shape[1])


def pairs(seen):
    """Groups of unequal sizes."""
    return each(seen) * 2 // 5


@pytest.mark.parametrize("name", ["stvit_deit_tiny", "stvit_video_deit_tiny"])
@pytest.mark.parametrize("numbers_of", [each, pairs])
def test_occlusion_of_tokens_that_are_left_out_by_hand(name, numbers_of):
    model, site, seen = looked(name)
    numbers, expected = numbers_of(seen), []
    with torch.no_grad():
        for number in range(-1, numbers.max() + 1):  # none is left out first
            x = seen.tokens.flatten(1, -2)[:, torch.from_numpy(numbers != number)]
            for kind, block in zip(model.kinds, model.blocks, strict=True):
                x = block(x) if kind == "refine" else x
            expected.append(float(model.head(model.norm(x).mean(1))[0, LABEL]))
    found = occlusions(site, seen, label=LABEL, numbers=numbers)
    np.testing.assert_allclose(found, expected[0] - np.array(expected[1:]), atol=1e-5)
    assert found.dtype == np.float32
    assert np.abs(found).max() > 1e-3


@pytest.mark.parametrize("name", ["stvit_swin_tiny", "stvit_r_video_swin_tiny", "video_casvit_xs"])
def test_occlusion_where_the_mean_of_the_others_takes_the_place(name):
    model, site, seen = looked(name)
    numbers, tokens, logits = pairs(seen), seen.tokens.flatten(1, -2), []
    for number in range(-1, numbers.max() + 1):
        put = tokens.clone()
        others = [tokens[0, i] for i, own in enumerate(numbers) if own != number]
        for i, own in enumerate(numbers):
            if own == number:
                put[0, i] = sum(others) / len(others)
        handle = site.block.register_forward_hook(lambda *_, put=put: put.reshape(seen.tokens.shape))
        with torch.no_grad():
            logits.append(float(model(seen.clip)[0, LABEL]))
        handle.remove()
    found = occlusions(site, seen, label=LABEL, numbers=numbers)
    np.testing.assert_allclose(found, logits[0] - np.array(logits[1:]), atol=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_contributions_are_slopes_by_finite_differences(name):
    model = short_model(name).double()
    site = token_site(model)
    seen = site.see(short_clip(model).double())
    tokens, numbers, expected = seen.tokens.flatten(1, -2), each(seen) * 3 // len(each(seen)), []
    start = means_of_others(tokens, numbers)
    for number in range(3):
        step = (tokens - start) * torch.from_numpy(numbers == number)[None, :, None]
        with torch.no_grad():
            places = [start + share * (tokens - start) for share in (1 / 6, 3 / 6, 5 / 6)]
            slopes = [
                float((site.logits(place + 1e-5 * step, seen) - site.logits(place - 1e-5 * step, seen))[0, LABEL])
                for place in places
            ]
        expected.append(sum(slopes) / 6e-5)
    found = contributions(site, seen, label=LABEL, numbers=numbers, num_slopes=3)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    assert np.abs(found).max() > 1e-4
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("name", ["stvit_video_deit_tiny", "stvit_casvit_xs"])
def test_contributions_sum_to_what_the_logit_gains_beyond_means(name):
    _, site, seen = looked(name)
    tokens, numbers = seen.tokens.flatten(1, -2), each(seen)
    with torch.no_grad():
        gain = site.logits(tokens, seen) - site.logits(means_of_others(tokens, numbers), seen)
    found = contributions(site, seen, label=LABEL, numbers=numbers, num_slopes=200)
    assert found.sum() == pytest.approx(float(gain[0, LABEL]), rel=1e-2, abs=1e-4)
    assert abs(found.sum()) > 1e-3


def means_of_others(tokens, numbers):
    """(1, N, C), each token replaced by the mean of those outside of its group, by a loop."""
    means = torch.empty_like(tokens)
    for place, number in enumerate(numbers):
        means[0, place] = tokens[0, [other for other, of in enumerate(numbers) if of != number]].mean(0)
    return means


@pytest.mark.parametrize(
    ("name", "layer", "options"),
    [("video_deit_tiny", 3, {"base_attention": "joint", "depth": 3}), ("swin_tiny", 6, {}), ("video_swin_tiny", 6, {})],
)
def test_where_layers_behind_are_linear_contribution_is_occlusion(name, layer, options):
    model, site, _ = looked(name, layer, **options)
    assert not site.later
    model.norm, model.norm_after_pool = torch.nn.Identity(), False
    seen = site.see(short_clip(model))
    for numbers in (each(seen), pairs(seen)):
        found = contributions(site, seen, label=LABEL, numbers=numbers)
        np.testing.assert_allclose(found, occlusions(site, seen, label=LABEL, numbers=numbers), atol=1e-4)
    tokens = seen.tokens.flatten(1, -2)[0]
    by_hand = (tokens - (tokens.sum(0) - tokens) / (len(tokens) - 1)) @ model.head.weight[LABEL] / len(tokens)
    np.testing.assert_allclose(contributions(site, seen, label=LABEL, numbers=each(seen)), by_hand.detach(), atol=1e-5)


def test_sets_of_tokens_run_a_few_at_a_time(monkeypatch):
    _, site, seen = looked("video_deit_tiny", depth=4)
    numbers = cell_numbers((2, 4, 4), (2, 3, 3))  # cells of unequal sizes
    whole = occlusions(site, seen, label=LABEL, numbers=numbers)
    sizes = []
    logits = site.logits
    monkeypatch.setattr(attribution, "SETS_PER_FORWARD", 3)
    monkeypatch.setattr(site, "logits", lambda tokens, seen: sizes.append(len(tokens)) or logits(tokens, seen))
    np.testing.assert_allclose(occlusions(site, seen, label=LABEL, numbers=numbers), whole, atol=1e-5)
    assert max(sizes) == 3


def test_the_only_token_is_measured_against_zeros():
    _, site, seen = looked("stvit_deit_tiny", num_tokens=1)
    tokens = seen.tokens.flatten(1, -2)
    with torch.no_grad():
        expected = site.logits(tokens, seen) - site.logits(torch.zeros_like(tokens), seen)
    found = occlusions(site, seen, label=LABEL, numbers=each(seen))
    np.testing.assert_allclose(found, [float(expected[0, LABEL])], atol=1e-6)
    assert contributions(site, seen, label=LABEL, numbers=each(seen)).shape == (1,)


def test_inference_mode_around_changes_nothing():
    _, site, seen = looked("stvit_deit_tiny")
    expected = contributions(site, seen, label=LABEL, numbers=each(seen))
    with torch.inference_mode():
        again = site.see(seen.clip)
        np.testing.assert_allclose(contributions(site, again, label=LABEL, numbers=each(again)), expected, atol=1e-6)
        occlusions(site, again, label=LABEL, numbers=each(again))


@pytest.mark.parametrize(("size", "is_kept"), [(1e-6, False), (2.9e-5, False), (3.1e-5, True), (1.0, True)])
def test_errors_of_rounding_are_zeros(size, is_kept):
    values = np.array([0.5 * size, -size, 0.0], dtype=np.float32)
    kept = without_rounding(values, torch.tensor([[-3.0, 1.0]]))
    np.testing.assert_array_equal(kept, values if is_kept else np.zeros(3))
