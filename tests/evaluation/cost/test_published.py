import pytest

from stvit_video.evaluation.cost.published import PUBLISHED, Published, published_figures


def test_figures_hold_for_their_input_alone():
    assert published_figures("deit_small", (224, 224)) == Published(parameters_millions=22.1, gmacs=4.61)
    assert published_figures("deit_small", (224, 256)) is None
    assert published_figures("video_swin_tiny", (32, 224, 224)).gmacs == 88
    assert published_figures("video_swin_tiny", (16, 224, 224)) is None
    assert published_figures("stvit_deit_small", (224, 224)) is None


@pytest.mark.parametrize("family", ["deit", "swin", "casvit", "stvit_r_swin", "video_swin"])
def test_larger_models_of_a_family_have_more_parameters_and_cost_more(family):
    order = ("tiny", "xs", "s", "small", "m", "base", "t")
    figures = [PUBLISHED[f"{family}_{size}"] for size in order if f"{family}_{size}" in PUBLISHED]
    assert len(figures) >= 2
    assert figures == sorted(figures, key=lambda figure: figure.parameters_millions or 0.0)
    assert figures == sorted(figures, key=lambda figure: figure.gmacs)
    assert len({figure.input_size for figure in figures}) == 1
